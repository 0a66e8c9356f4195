package hcloud

import (
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func sshKey() cloud.Type {
	return cloud.Type{
		Token: sshKeyType,
		Check: checkLabels,
		Create: func(c *cloud.Call) error {
			key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(c.In.String("publicKey")))
			if err != nil {
				return cloud.Refuse("invalid_input", "invalid input in field 'public_key': SSH key is not valid; give the one-line form \"ssh-ed25519 AAAA… comment\"")
			}
			if err := uniqueName(c, "SSH key"); err != nil {
				return err
			}
			fingerprint := ssh.FingerprintLegacyMD5(key)
			for _, other := range c.All(sshKeyType) {
				if other.Out.String("fingerprint") == fingerprint {
					return cloud.Refuse("uniqueness_error", "SSH key with the same fingerprint already exists: %s is registered as %q", fingerprint, other.Out.String("name"))
				}
			}
			number(c, 20_000_000, 29_999_999)
			c.Out["fingerprint"] = fingerprint
			c.Out.Default("labels", cloud.Object{})
			return nil
		},
		Update: func(c *cloud.Call) error { return uniqueName(c, "SSH key") },
		// The provider ignores white space around a key.
		Same: func(property string, old, new any) bool {
			return property == "publicKey" && strings.TrimSpace(cloud.Text(old)) == strings.TrimSpace(cloud.Text(new))
		},
	}
}
