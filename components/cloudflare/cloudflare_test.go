package cloudflare

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/components/base"
	"github.com/morphee-app/morphee-infra/internal/recorder"
)

const account = "0123456789abcdef0123456789abcdef"

var tags = base.Tags{Project: "morphee", Stack: "dev", Phase: 1, Owner: "ops"}

func cloud() *recorder.Recorder {
	ids := func(pairs ...string) resource.PropertyValue { return resource.NewProperty(recorder.Texts(pairs...)) }
	return &recorder.Recorder{
		Outputs: func(typ, name string, inputs resource.PropertyMap) resource.PropertyMap {
			switch typ {
			case "cloudflare:index/apiToken:ApiToken":
				return recorder.Texts("value", "value of "+name)
			case "cloudflare:index/record:Record":
				return recorder.Texts("hostname", inputs["name"].StringValue()+".morphee.app")
			}
			return nil
		},
		Calls: func(token string, args resource.PropertyMap) (resource.PropertyMap, error) {
			switch token {
			case "cloudflare:index/getApiTokenPermissionGroups:getApiTokenPermissionGroups":
				return resource.PropertyMap{
					"id": resource.NewStringProperty("1"),
					"r2": ids(itemRead, "group-item-read", itemWrite, "group-item-write"), "account": ids(storageWrite, "group-storage-write"),
				}, nil
			case "cloudflare:index/getZone:getZone":
				return recorder.Texts("zoneId", "zone of "+args["name"].StringValue()), nil
			}
			return nil, errors.New("unexpected invoke " + token)
		},
	}
}

func counts(t *testing.T, list []recorder.Resource, want map[string]int) {
	t.Helper()
	recorder.ExpectCounts(t, list, want)
	if orphans := recorder.Orphans(list); len(orphans) > 0 {
		t.Errorf("without a component above them: %v", orphans)
	}
}

func bucketArgs(name string) *BackupBucketArgs {
	return &BackupBucketArgs{AccountID: account, BucketName: name, Location: "eeur", Tags: tags}
}

func TestBackupBucket(t *testing.T) {
	secrets := map[string]string{}
	list, err := cloud().Run(func(ctx *pulumi.Context) error {
		for _, name := range []string{"backups", "other"} {
			a := bucketArgs(name + "-bucket")
			a.Disposable = name == "other"
			if name == "backups" {
				a.UploaderSources = pulumi.StringArray{pulumi.String("203.0.113.7/32")}
				a.AdminSources = []string{"198.51.100.0/24"}
			}
			b, err := NewBackupBucket(ctx, name, a)
			if err != nil {
				return err
			}
			if !pulumi.IsSecret(b.SecretAccessKey) || !pulumi.IsSecret(b.AccessKeyID) {
				t.Errorf("%s: the uploader's key is not secret", name)
			}
			pulumi.All(b.Endpoint, b.AccessKeyID, b.SecretAccessKey, b.BucketName, b.Region).ApplyT(func(all []any) string {
				secrets[name] = fmt.Sprint(all...)
				return ""
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	counts(t, list, map[string]int{
		BackupBucketType: 2, "cloudflare:index/r2Bucket:R2Bucket": 2, "cloudflare:index/apiToken:ApiToken": 4,
		"pulumi:providers:aws": 2, "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": 2,
	})
	bucket := recorder.Must(t, list, "cloudflare:index/r2Bucket:R2Bucket", "backups-bucket")
	recorder.Expect(t, bucket, map[string]any{"accountId": account, "name": "backups-bucket", "location": "EEUR"})
	if !bucket.Protect || recorder.Must(t, list, "cloudflare:index/r2Bucket:R2Bucket", "other-bucket").Protect {
		t.Error("the bucket must be protected unless it is disposable")
	}

	uploader := recorder.Must(t, list, "cloudflare:index/apiToken:ApiToken", "backups-uploader")
	recorder.Expect(t, uploader, map[string]any{
		"policies.0.effect": "allow", "policies.0.permissionGroups": []any{"group-item-read", "group-item-write"},
		"policies.0.resources":    map[string]any{"com.cloudflare.edge.r2.bucket." + account + "_default_backups-bucket": "*"},
		"policies.1":              nil,
		"condition.requestIp.ins": []any{"203.0.113.7/32"},
	})
	admin := recorder.Must(t, list, "cloudflare:index/apiToken:ApiToken", "backups-lifecycle-admin")
	recorder.Expect(t, admin, map[string]any{
		"policies.0.permissionGroups": []any{"group-storage-write"},
		"policies.0.resources":        map[string]any{"com.cloudflare.api.account." + account: "*"},
		"policies.1":                  nil, "condition.requestIp.ins": []any{"198.51.100.0/24"},
	})
	if recorder.Must(t, list, "cloudflare:index/apiToken:ApiToken", "other-uploader").Input("condition") != nil {
		t.Error("a condition nobody asked for")
	}

	provider := recorder.Must(t, list, "pulumi:providers:aws", "backups-s3")
	sum := sha256.Sum256([]byte("value of backups-lifecycle-admin"))
	recorder.Expect(t, provider, map[string]any{
		"accessKey": "backups-lifecycle-admin-id", "secretKey": hex.EncodeToString(sum[:]),
	})
	if !provider.IsSecret("accessKey") || !provider.IsSecret("secretKey") {
		t.Error("the lifecycle key is not secret")
	}
	if endpoints := fmt.Sprint(provider.Input("endpoints")); !strings.Contains(endpoints, "https://"+account+".r2.cloudflarestorage.com") {
		t.Errorf("endpoints are %s", endpoints)
	}

	rules := recorder.Must(t, list, "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "backups-lifecycle")
	if !strings.Contains(rules.Provider, "::backups-s3::") {
		t.Errorf("the lifecycle goes to provider %q", rules.Provider)
	}
	got := map[string]any{}
	for _, r := range rules.Input("rules").([]any) {
		m := r.(map[string]any)
		if m["status"] != "Enabled" {
			t.Errorf("rule %v is not on", m)
		}
		prefix := m["filter"].(map[string]any)["prefix"].(string)
		if e, ok := m["expiration"].(map[string]any); ok {
			got[prefix] = e["days"]
		} else {
			got["abort"+prefix] = m["abortIncompleteMultipartUpload"].(map[string]any)["daysAfterInitiation"]
		}
	}
	want := map[string]any{"postgres/": 30.0, "git/": 14.0, "files/": 14.0, "manifests/": 30.0, "abort": 2.0}
	if !maps.Equal(got, want) {
		t.Errorf("rules are %v, want %v", got, want)
	}

	sum = sha256.Sum256([]byte("value of backups-uploader"))
	for _, want := range []string{"https://" + account + ".r2.cloudflarestorage.com", "backups-uploader-id", hex.EncodeToString(sum[:]), "backups-bucket", "auto"} {
		if !strings.Contains(secrets["backups"], want) {
			t.Errorf("outputs %s lack %s", secrets["backups"], want)
		}
	}
}

func TestBackupBucketMissingPermissionGroup(t *testing.T) {
	c := cloud()
	c.Calls = func(string, resource.PropertyMap) (resource.PropertyMap, error) { return resource.PropertyMap{}, nil }
	_, err := c.Run(func(ctx *pulumi.Context) error {
		_, err := NewBackupBucket(ctx, "backups", bucketArgs("bucket"))
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "no permission group") {
		t.Errorf("got %v, want an error about the permission group", err)
	}
}

func TestBackupBucketRefuses(t *testing.T) {
	for want, change := range map[string]func(*BackupBucketArgs){
		`AccountID: got "x"`:                func(a *BackupBucketArgs) { a.AccountID = "x" },
		`BucketName: got "A_B"`:             func(a *BackupBucketArgs) { a.BucketName = "A_B" },
		`Location: got "MOON"`:              func(a *BackupBucketArgs) { a.Location = "moon" },
		`Jurisdiction: got "eu"`:            func(a *BackupBucketArgs) { a.Jurisdiction = "eu" },
		`PostgresRetentionDays: got -1`:     func(a *BackupBucketArgs) { a.PostgresRetentionDays = -1 },
		`GitRetentionDays: got 9999`:        func(a *BackupBucketArgs) { a.GitRetentionDays = 9999 },
		`FilesRetentionDays: got -1`:        func(a *BackupBucketArgs) { a.FilesRetentionDays = -1 },
		`AbortMultipartDays: got 99`:        func(a *BackupBucketArgs) { a.AbortMultipartDays = 99 },
		`AdminSources[0]: got "everywhere"`: func(a *BackupBucketArgs) { a.AdminSources = []string{"everywhere"} },
	} {
		a := bucketArgs("bucket")
		change(a)
		cloud().Refuses(t, want, func(ctx *pulumi.Context) error { _, err := NewBackupBucket(ctx, "backups", a); return err })
	}
}

func dnsArgs() *DnsRecordsArgs {
	return &DnsRecordsArgs{
		ZoneID: account, ZoneName: "morphee.app", IPv4: pulumi.String("203.0.113.7"), IPv6: pulumi.String("2001:db8::1"), Tags: tags,
		Hosts: []DnsHost{{Name: "app.morphee.app", Proxied: true}, {Name: "git.morphee.app"}, {Name: "morphee.app"}},
	}
}

func TestDnsRecords(t *testing.T) {
	names := ""
	list, err := cloud().Run(func(ctx *pulumi.Context) error {
		d, err := NewDnsRecords(ctx, "dns", dnsArgs())
		if err != nil {
			return err
		}
		d.Names.ApplyT(func(list []string) string { names = strings.Join(list, " "); return "" })
		second := dnsArgs()
		second.ZoneID, second.AccountID, second.IPv6, second.TTLSeconds = "", account, nil, 60
		_, err = NewDnsRecords(ctx, "other", second)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	counts(t, list, map[string]int{DnsRecordsType: 2, "cloudflare:index/record:Record": 9})
	if names != "app.morphee.app git.morphee.app @.morphee.app" {
		t.Errorf("names are %s", names)
	}
	const record = "cloudflare:index/record:Record"
	recorder.Expect(t, recorder.Must(t, list, record, "dns-app-morphee-app-a"), map[string]any{
		"name": "app", "type": "A", "content": "203.0.113.7", "proxied": true, "ttl": 1, "zoneId": account, "allowOverwrite": false, "comment": "morphee dev, owner ops"})
	recorder.Expect(t, recorder.Must(t, list, record, "dns-git-morphee-app-aaaa"), map[string]any{
		"name": "git", "type": "AAAA", "content": "2001:db8::1", "proxied": false, "ttl": 300})
	recorder.Expect(t, recorder.Must(t, list, record, "dns-morphee-app-a"), map[string]any{"name": "@"})
	recorder.Expect(t, recorder.Must(t, list, record, "other-git-morphee-app-a"), map[string]any{"ttl": 60, "zoneId": "zone of morphee.app"})
}

func TestDnsRecordsRefuses(t *testing.T) {
	for want, change := range map[string]func(*DnsRecordsArgs){
		`ZoneID: got "x"`:                    func(a *DnsRecordsArgs) { a.ZoneID = "x" },
		`AccountID: got ""`:                  func(a *DnsRecordsArgs) { a.ZoneID = "" },
		`ZoneName: got ""`:                   func(a *DnsRecordsArgs) { a.ZoneName = "" },
		`TTLSeconds: got 5`:                  func(a *DnsRecordsArgs) { a.TTLSeconds = 5 },
		`IPv4: got nothing`:                  func(a *DnsRecordsArgs) { a.IPv4 = nil },
		`Hosts: got none`:                    func(a *DnsRecordsArgs) { a.Hosts = nil },
		`Hosts[0]: got "x.example.com"`:      func(a *DnsRecordsArgs) { a.Hosts[0].Name = "x.example.com" },
		`Hosts[0]: got "evilmorphee.app"`:    func(a *DnsRecordsArgs) { a.Hosts[0].Name = "evilmorphee.app" },
		`Hosts[1]: got "app.morphee.app" ag`: func(a *DnsRecordsArgs) { a.Hosts[1].Name = "app.morphee.app" },
	} {
		a := dnsArgs()
		change(a)
		cloud().Refuses(t, want, func(ctx *pulumi.Context) error { _, err := NewDnsRecords(ctx, "dns", a); return err })
	}
}
