package secrets

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/policy/rule"
	"github.com/morphee-app/morphee-infra/policy/ruletest"
)

// Values that look like secrets and are none: they were written for these tests.
const (
	token  = "vT9qLx2RbW7nKd4ZsY8cHf3J"
	pemKey = "-----BEGIN RSA PRIVATE " + "KEY-----\nabc\n"
	awsKey = "AKIA" + "ABCDEFGHIJKLMNOP"
	dsn    = "postgres://app:hunter22hunter@db:5432/app"
)

func TestRules(t *testing.T) {
	const (
		pass = rule.Pass
		bad  = rule.Violation
	)
	plainTask := `[{\"name\":\"app\",\"environment\":[{\"name\":\"LOG_LEVEL\",\"value\":\"info\"}],\"secrets\":[{\"name\":\"PASSWORD\",\"valueFrom\":\"arn:aws:x\"}]}]`
	ruletest.Run(t, Pack, []ruletest.Case{
		{Rule: "secret-by-name", World: `x:y:Z r {"dbPassword":"/run/secrets/db"}`, At: "r dbPassword", Bad: "hunter22", BadToo: []any{"changeme"}, BadSecret: pass, Absent: pass,
			Good: []any{"arn:aws:secretsmanager:x", "${password}", "managed"}},
		{Rule: "secret-by-name", Form: "file", World: `docker:index/container:Container r {"name":"c","uploads":[{"file":"/run/secrets/db-password","content":"/x"}]}`,
			At: "r uploads.0.content", Bad: "hunter22", BadSecret: pass, Absent: pass},
		{Rule: "secret-by-format", World: `x:y:Z r {"content":"plain text"}`, At: "r content", Bad: awsKey, BadToo: []any{pemKey, dsn, "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeKKF2QT4"}, BadSecret: pass, Absent: pass},
		{Rule: "secret-by-entropy", World: `x:y:Z r {"content":"plain text"}`, At: "r content", Bad: token, BadSecret: pass, Absent: pass,
			Good: []any{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIANfzphc7dQ3yuBHWiMqTm6OVY58aY1VlPVooYxjIS me@example.com", "ELBSecurityPolicy-TLS13-1-2-2021-06",
				"sha256:" + strings.Repeat("0a9f", 16), "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole", "https://d111111abcdef8.cloudfront.net/index.html"}},
		{Rule: "secret-input-is-secret", World: `aws:rds/instance:Instance r {"password":""}`, At: "r password", Bad: "hunter22", BadSecret: pass, Absent: pass},
		{Rule: "secret-input-is-secret", Form: "provider", World: `pulumi:providers:cloudflare r {"apiToken":""}`, At: "r apiToken", Bad: token, BadSecret: pass, Absent: pass},
		{Rule: "secret-input-is-secret", Form: "list", World: `aws:elasticache/user:User r {"passwords":[""]}`, At: "r passwords.0", Bad: "hunter22", BadSecret: pass, Absent: pass},

		{Rule: "container-env-no-secret", Form: "Docker", World: `docker:index/container:Container r {"envs":["DB_PASSWORD_FILE=/run/secrets/db"]}`, At: "r envs.0", Bad: "DB_PASSWORD=hunter22",
			BadToo: []any{"URL=" + dsn, "KEY=" + token, "X=" + awsKey}, Secret: bad, Absent: pass},
		{Rule: "container-env-no-secret", Form: "task", World: `aws:ecs/taskDefinition:TaskDefinition r {"containerDefinitions":"` + plainTask + `"}`, At: "r containerDefinitions|0.environment.0.value",
			Bad: awsKey, BadToo: []any{token}, Secret: bad, Absent: pass},
		{Rule: "container-env-no-secret", Form: "task, by name", World: `aws:ecs/taskDefinition:TaskDefinition r {"containerDefinitions":"` + plainTask + `"}`, At: "r containerDefinitions|0.environment.0",
			Bad: map[string]any{"name": "DB_PASSWORD", "value": "hunter22"}, Secret: bad, Absent: pass},
		{Rule: "user-data-no-secret", Form: "text", World: `hcloud:index/server:Server r {"userData":"#!/bin/sh\necho hello"}`, At: "r userData", Bad: "#!/bin/sh\nexport DB_PASSWORD=hunter22\n",
			BadToo: []any{pemKey, "token: " + token}, Secret: bad, Absent: pass},
		{Rule: "user-data-no-secret", Form: "base64", World: `aws:ec2/launchTemplate:LaunchTemplate r {"userData":"ZWNobyBoZWxsbw=="}`, At: "r userData", Bad: "REJfUEFTU1dPUkQ9aHVudGVyMjIyMg==", Secret: bad, Absent: pass},
		{Rule: "tags-no-secret", Form: "tags", World: `x:y:Z r {"tags":{"owner":"platform"}}`, At: "r tags.owner", Bad: awsKey, BadToo: []any{token}, Secret: bad, Absent: pass},
		{Rule: "tags-no-secret", Form: "labels", World: `docker:index/volume:Volume r {"labels":[{"label":"api-token","value":"none"}]}`, At: "r labels.0.value", Bad: "hunter22", Secret: bad, Absent: pass},
		{Rule: "command-output-hidden", World: `command:remote:Command r {"stdin":{"!secret":"x"},"logging":"stderr"}`, At: "r logging", Bad: "stdoutAndStderr"},

		{Rule: "secret-leak", Form: "input", World: `random:index/randomPassword:RandomPassword p {"length":32}
			x:y:Z r {"content":"something else"}`, At: "r content", Bad: "prefix " + token, BadSecret: pass, Absent: pass, Unknown: pass,
			Options: rule.Options{Config: map[string]string{"morphee:key": token}, SecretKeys: []string{"morphee:key"}}},
		{Rule: "output-no-secret", World: `outputs pulumi:pulumi:Stack s {"adminPassword":"/x","url":"https://a.example"}`, At: "s outputs.adminPassword", Bad: "hunter22", BadSecret: pass, Absent: pass},
		{Rule: "output-no-secret", Form: "by value", World: `outputs pulumi:pulumi:Stack s {"url":"https://a.example"}`, At: "s outputs.url", Bad: "https://me:hunter22@a.example", BadSecret: pass, Absent: pass, Unknown: pass},

		{Rule: "secret-customer-key", World: `aws:secretsmanager/secret:Secret r {"kmsKeyId":"arn:k"}`, At: "r kmsKeyId", Bad: ""},
		{Rule: "database-password-managed", World: `aws:rds/cluster:Cluster r {"manageMasterUserPassword":true}`, At: "r manageMasterUserPassword", Bad: false},
		{Rule: "secret-rotation-age", World: `aws:secretsmanager/secretRotation:SecretRotation r {"rotationRules":{"automaticallyAfterDays":30}}`, At: "r rotationRules.automaticallyAfterDays", Bad: 365.0},
		{Rule: "generated-secret-length", World: `random:index/randomPassword:RandomPassword webhook-secret {"length":32}`, At: "webhook-secret length", Bad: 31.0},
		{Rule: "generated-secret-length", Form: "password", World: `random:index/randomPassword:RandomPassword admin {"length":24}`, At: "admin length", Bad: 16.0},
		{Rule: "parameter-secure", World: `aws:ssm/parameter:Parameter db-password {"type":"SecureString"}`, At: "db-password type", Bad: "String"},
		{Rule: "no-access-keys", World: `aws:iam/accessKey:AccessKey r {"status":"Inactive"}`, At: "r status", Bad: "Active"},
	})
}

// TestLeakedOutput: a secret that a resource generated stands in plain in another.
func TestLeakedOutput(t *testing.T) {
	world := func(content any) []*rule.Resource {
		return []*rule.Resource{
			{URN: "urn:pulumi:a::b::random:index/randomPassword:RandomPassword::p", Type: "random:index/randomPassword:RandomPassword", Name: "p",
				Outputs: map[string]any{"result": rule.Secret{V: token}}},
			{URN: "urn:pulumi:a::b::x:y:Z::r", Type: "x:y:Z", Name: "r", Inputs: map[string]any{"content": content}},
		}
	}
	leakRule, _ := Pack.Rule("secret-leak")
	for name, c := range map[string]struct {
		content any
		want    int
	}{
		"leaked":  {"password=" + token + "\n", 1},
		"secret":  {rule.Secret{V: "password=" + token}, 0},
		"another": {"password=none", 0},
	} {
		report, err := rule.Evaluate([]rule.Pack{{Name: "p", Rules: []rule.Rule{leakRule}}}, world(c.content), rule.Options{})
		if err != nil || len(report.Violations) != c.want {
			t.Errorf("%s: got %d violations and %v, want %d", name, len(report.Violations), err, c.want)
		}
	}
	unknown := world("x")
	unknown[0].Outputs["result"] = rule.Secret{V: rule.Unknown{}}
	report, _ := rule.Evaluate([]rule.Pack{{Name: "p", Rules: []rule.Rule{leakRule}}}, unknown, rule.Options{})
	if len(report.Undetermined) != 1 {
		t.Errorf("an unknown secret: got %d undetermined, want 1", len(report.Undetermined))
	}
}

func TestSecretName(t *testing.T) {
	for name, want := range map[string]bool{
		"PASSWORD": true, "DB_PASSWORD": true, "PGPASSWORD": true, "masterPassword": true, "FORGEJO__database__PASSWD": true, "apiToken": true, "API_KEY": true,
		"secretKey": true, "JWT_SECRET": true, "webhook-secret": true, "DSN": true, "backupKey": true, "privateKey": true, "encryptionKey": true,
		"DB_PASSWORD_FILE": false, "secretArn": false, "publicKey": false, "kmsKeyId": false, "kmsKey": false, "tokenLifetimeSeconds": false,
		"manageMasterUserPasswordKmsKeyId": false, "authTokenUpdateStrategy": false, "creationToken": false, "nextToken": false, "keyName": false, "targetKeyId": false,
		"secretString": false, "key": false, "monkey": false,
	} {
		if got := secretName(name); got != want {
			t.Errorf("secretName(%q): got %v, want %v", name, got, want)
		}
	}
}
