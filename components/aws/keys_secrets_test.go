package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
	"github.com/morphee-app/morphee-infra/internal/stateful"
)

func keysArgs(change func(*KeysArgs)) *KeysArgs {
	args := &KeysArgs{Region: testRegion, AccountID: pulumi.String(testAccount), Purposes: []KeyPurpose{KeyFiles, KeyLogs, KeyAlarms, KeyBackups}, Tags: testTags}
	if change != nil {
		change(args)
	}
	return args
}

func TestKeysTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		if _, err := NewKeys(ctx, "one", keysArgs(func(a *KeysArgs) {
			a.DirectUsers = map[KeyPurpose][]pulumi.StringInput{KeyBackups: {pulumi.String("arn:role")}}
		})); err != nil {
			return err
		}
		_, err := NewKeys(ctx, "two", keysArgs(func(a *KeysArgs) { a.Purposes, a.Disposable = []KeyPurpose{KeySecrets}, true }))
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{KeysType: 2, "aws:kms/key:Key": 5, "aws:kms/alias:Alias": 5})
	for _, purpose := range []string{"files", "logs", "alarms", "backups"} {
		key := recorder.Must(t, list, "aws:kms/key:Key", "one-"+purpose)
		recorder.Expect(t, key, map[string]any{"enableKeyRotation": true, "deletionWindowInDays": 30, "tags.stack": "test"})
		if !key.Protect {
			t.Errorf("%s is not protected", key.Name)
		}
		for _, s := range policyOf(t, key, "policy") {
			for _, action := range s.Action.([]any) {
				if strings.Contains(action.(string), "*") {
					t.Errorf("%s: %s allows %s", key.Name, s.Sid, action)
				}
				administers := strings.HasPrefix(s.Sid, "Administer")
				if administers && (action == "kms:Decrypt" || action == "kms:Encrypt" || action == "kms:CreateGrant") {
					t.Errorf("%s: administrators may %s", key.Name, action)
				}
			}
			if s.Principal == "*" || fmt.Sprint(s.Principal) == "map[AWS:[*]]" {
				t.Errorf("%s: %s is for everyone", key.Name, s.Sid)
			}
			if !strings.HasPrefix(s.Sid, "Administer") && !strings.HasPrefix(s.Sid, "DirectUsers") && len(s.Condition) == 0 {
				t.Errorf("%s: %s has no condition", key.Name, s.Sid)
			}
		}
	}
	const itself = "BecauseInAKeyPolicyItMeansThisKey"
	files := policyOf(t, recorder.Must(t, list, "aws:kms/key:Key", "one-files"), "policy")
	via := statement(t, files, "UseThroughServices"+itself).Condition["StringEquals"]
	if got := fmt.Sprint(via); got != "map[kms:CallerAccount:[123456789012] kms:ViaService:[elasticfilesystem.eu-central-1.amazonaws.com backup.eu-central-1.amazonaws.com]]" {
		t.Error(got)
	}
	if len(files) != 3 {
		t.Errorf("%d statements for files, want 3", len(files))
	}
	logs := policyOf(t, recorder.Must(t, list, "aws:kms/key:Key", "one-logs"), "policy")
	if got := fmt.Sprint(statement(t, logs, "LogGroups"+itself).Condition["ArnLike"]); !strings.Contains(got, "arn:aws:logs:eu-central-1:123456789012:log-group:*") {
		t.Error(got)
	}
	backups := policyOf(t, recorder.Must(t, list, "aws:kms/key:Key", "one-backups"), "policy")
	if got := fmt.Sprint(statement(t, backups, "DirectUsers"+itself).Principal); got != "map[AWS:[arn:role]]" {
		t.Error(got)
	}
	if recorder.Must(t, list, "aws:kms/key:Key", "two-secrets").Protect {
		t.Error("a disposable stack's key is protected")
	}
}

func TestKeysRefuse(t *testing.T) {
	for field, change := range map[string]func(*KeysArgs){
		"Region: got x":             func(a *KeysArgs) { a.Region = "x" },
		"AccountID":                 func(a *KeysArgs) { a.AccountID = nil },
		"Purposes: got none":        func(a *KeysArgs) { a.Purposes = nil },
		"Purposes: got disks":       func(a *KeysArgs) { a.Purposes = []KeyPurpose{"disks"} },
		"each purpose once":         func(a *KeysArgs) { a.Purposes = []KeyPurpose{KeyLogs, KeyLogs} },
		"DirectUsers: got cache":    func(a *KeysArgs) { a.DirectUsers = map[KeyPurpose][]pulumi.StringInput{KeyCache: nil} },
		"DeletionWindowDays: got 6": func(a *KeysArgs) { a.DeletionWindowDays = 6 },
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewKeys(ctx, "keys", keysArgs(change))
				return err
			})
		})
	}
}

func TestSecretsTwice(t *testing.T) {
	var arn pulumi.StringOutput
	list := register(t, func(ctx *pulumi.Context) error {
		one, err := NewSecrets(ctx, "one", &SecretsArgs{KmsKeyArn: keyArn("secrets"), Tags: testTags, Secrets: map[string]SecretSpec{
			"redis-auth":    {Description: "AUTH token", Value: pulumi.String("canary-value")}, // not marked secret by the caller
			"forgejo-token": {Description: "written by the first start"},
			"webhook-url":   {Description: "told of failures", Value: pulumi.String("https://example.com"), Optional: true},
		}})
		if err != nil {
			return err
		}
		arn = one.Arns["redis-auth"]
		_, err = NewSecrets(ctx, "two", &SecretsArgs{KmsKeyArn: keyArn("secrets"), Tags: testTags, Disposable: true, Secrets: map[string]SecretSpec{"x": {Description: "x", Value: pulumi.String("y")}}})
		return err
	})
	recorder.ExpectCounts(t, list, map[string]int{SecretsType: 2, "aws:secretsmanager/secret:Secret": 4, "aws:secretsmanager/secretVersion:SecretVersion": 3})
	secret := recorder.Must(t, list, "aws:secretsmanager/secret:Secret", "one-redis-auth")
	recorder.Expect(t, secret, map[string]any{"kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/secrets", "recoveryWindowInDays": 30, "name": nil})
	if !secret.Protect {
		t.Error("the secret is not protected")
	}
	optional := recorder.Must(t, list, "aws:secretsmanager/secret:Secret", "one-webhook-url")
	if optional.Protect || !stateful.Rewritten(optional.Type, optional.Name) {
		t.Error("what people may take away is protected, or taken for what nobody can write again")
	}
	recorder.Expect(t, optional, map[string]any{"recoveryWindowInDays": 30})
	version := recorder.Must(t, list, "aws:secretsmanager/secretVersion:SecretVersion", "one-redis-auth-value")
	if !version.IsSecret("secretString") || version.Input("secretString") != "canary-value" {
		t.Error("the value is not kept a secret")
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:secretsmanager/secret:Secret", "two-x"), map[string]any{"recoveryWindowInDays": 0})
	for _, r := range list {
		if r.Type != version.Type && strings.Contains(fmt.Sprint(r.Inputs), "canary-value") {
			t.Errorf("%s %s shows the value", r.Type, r.Name)
		}
	}
	if arn.OutputState == nil {
		t.Error("no ARN")
	}
}

func TestSecretsRefuse(t *testing.T) {
	ok := map[string]SecretSpec{"a": {Description: "d"}}
	for field, args := range map[string]*SecretsArgs{
		"Secrets: got none":                 {KmsKeyArn: keyArn("k")},
		"Secrets: got A_b":                  {KmsKeyArn: keyArn("k"), Secrets: map[string]SecretSpec{"A_b": {Description: "d"}}},
		"Secrets.a.Description":             {KmsKeyArn: keyArn("k"), Secrets: map[string]SecretSpec{"a": {}}},
		"KmsKeyArn":                         {Secrets: ok},
		"RecoveryDays: got 3":               {KmsKeyArn: keyArn("k"), Secrets: ok, RecoveryDays: 3},
		"RecoveryDays: got 7, want nothing": {KmsKeyArn: keyArn("k"), Secrets: ok, RecoveryDays: 7, Disposable: true},
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewSecrets(ctx, "secrets", args)
				return err
			})
		})
	}
}

func TestAllPurposesHaveAPolicy(t *testing.T) {
	all := []KeyPurpose{KeyFiles, KeyDatabase, KeySecrets, KeyLogs, KeyCache, KeyImages, KeyAlarms, KeyBackups}
	list := register(t, func(ctx *pulumi.Context) error {
		_, err := NewKeys(ctx, "all", keysArgs(func(a *KeysArgs) { a.Purposes = all }))
		return err
	})
	for _, p := range all {
		key := recorder.Must(t, list, "aws:kms/key:Key", "all-"+string(p))
		if len(policyOf(t, key, "policy")) < 3 {
			t.Errorf("%s: no policy", p)
		}
	}
	if slices.Contains(all, "") || len(all) != len(keyUses) {
		t.Errorf("%d purposes tested, there are %d", len(all), len(keyUses))
	}
}
