package cloudflare

import "github.com/morphee-app/morphee-infra/internal/sim/cloud"

// groups are Cloudflare's permission groups that stacks use most, with their real ids, by what they
// apply to.
var groups = map[string]map[string]string{
	"account": {
		"Account Settings Read":                    "c1fde68c7bcc44588cbb6ddbc16d6480",
		"Load Balancing: Monitors and Pools Read":  "9d24387c6e8544e2bc4024a03991339f",
		"Load Balancing: Monitors and Pools Write": "d2a1802cc9a34e30852f8b33869b2f3c",
		"Workers R2 Storage Read":                  "b4992e1108244f5d8bfbd5744320c2e1",
		"Workers R2 Storage Write":                 "bf7481a1826f439697cb59a20b22293e",
		"Workers Scripts Write":                    "e086da7e2179491d91ee5f35b3ca210a",
	},
	"r2": {
		"Workers R2 Storage Bucket Item Read":  "6a018a9f2fc74eb6b293b0c548f38b39",
		"Workers R2 Storage Bucket Item Write": "2efd5506f9c8494dacb1fa10a3e7d5b6",
	},
	"user": {
		"API Tokens Read":   "0cc3a61731504c89b99ec1be78b77aa0",
		"API Tokens Write":  "686d18d5ac6c441c867cbf6771e58a0a",
		"Memberships Read":  "3518d0f75557482e952c6762d3e64903",
		"User Details Read": "8acbe5bb0d54464ab867149d7f7cf8ac",
	},
	"zone": {
		"Analytics Read":             "9c88f9c5bce24ce7af9a958ba9c504db",
		"Cache Purge":                "e17beae8b8cb423a99b1730f21238bed",
		"Cache Settings Write":       "9ff81cbbe65c400b97d92c3c1033cab6",
		"DNS Read":                   "82e64a83756745bbbb1c9c2701bf816b",
		"DNS Write":                  "4755a26eedb94da69e1066d98aa820be",
		"Firewall Services Write":    "43137f8d07884d3198dc0ee77ca6e79b",
		"Page Rules Write":           "ed07f6c337da4195b4e72a1fb2c6bcae",
		"SSL and Certificates Write": "c03055bc037c4ea9afb9a9f104b7b721",
		"Zone Read":                  "c8fed203ed3043cba015a93ad1616f1f",
		"Zone Settings Read":         "517b21aee92c4d89936c976ba6e4be55",
		"Zone Settings Write":        "3030687196b94b638145a3953da2b699",
		"Zone Write":                 "e6d2666161e84845a636613608cee8d5",
	},
}

// groupName is the name of a known permission group, or "".
func groupName(id string) string {
	for _, scope := range groups {
		for name, known := range scope {
			if known == id {
				return name
			}
		}
	}
	return ""
}

func permissionGroups(*cloud.InvokeCall) (cloud.Object, error) {
	all, out := cloud.Object{}, cloud.Object{}
	for scope, list := range groups {
		o := cloud.Object{}
		for name, id := range list {
			o[name], all[name] = id, id
		}
		out[scope] = o
	}
	out["permissions"] = all
	return out, nil
}
