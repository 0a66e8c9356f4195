package aws

import (
	"maps"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

type props = simtest.Props

// refusal is one thing that AWS refuses, and its accepted twin: the same program with the one
// mistake mended.
type refusal struct {
	what  string
	token string
	want  string // AWS's error code, or the provider's words for what it refuses in the plan
	// inputs makes what the resource needs in the world, and returns good inputs and what to change
	// in them to get the mistake. A nil value takes an input away.
	inputs func(s *simtest.Sim) (good, mistake props)
}

func fixedInputs(good, mistake props) func(*simtest.Sim) (props, props) {
	return func(*simtest.Sim) (props, props) { return maps.Clone(good), mistake }
}

func with(base, more props) props { return simtest.Merge(base, more) }

func edgeSim(t testing.TB, region string) *simtest.Sim {
	t.Helper()
	return simtest.New(t, Package(), dnsPackage()).With("aws", props{"region": region})
}

// dnsPackage stands for the providers whose resources AWS's rules look at.
func dnsPackage() cloud.Package { return cloud.Package{Name: "cloudflare"} }

func runRefusals(t *testing.T, list []refusal) {
	t.Helper()
	for _, r := range list {
		t.Run(strings.ReplaceAll(r.what, " ", "-"), func(t *testing.T) {
			s := edgeSim(t, "eu-west-1")
			good, mistake := r.inputs(s)
			s.Refuses(r.token, "wrong", with(good, mistake), r.want)
			s.Must(r.token, "right", good)
		})
	}
}

func trustOf(service string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
}

func aRole(s *simtest.Sim, name, service string) *cloud.Resource {
	return s.Must(roleToken, name, props{"name": name, "assumeRolePolicy": trustOf(service)})
}

func aBucket(s *simtest.Sim, name string) *cloud.Resource {
	return s.Must(bucketToken, name, props{"bucket": name})
}

func allow(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const readSecret = `{"Sid":"Read","Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-*"}`

func TestIdentityRefusals(t *testing.T) {
	role := props{"assumeRolePolicy": trustOf("ecs-tasks.amazonaws.com")}
	managed := props{"policy": allow(readSecret)}
	github := func(sub string) string {
		return allow(`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity",` +
			`"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"` + sub + `"}}}`)
	}
	big := allow(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + strings.Repeat("b", 6200) + `"}`)
	runRefusals(t, []refusal{
		{"trust without principal", roleToken, "MalformedPolicyDocument", fixedInputs(role, props{"assumeRolePolicy": allow(`{"Effect":"Allow","Action":"sts:AssumeRole"}`)})},
		{"trust with resource", roleToken, "Has prohibited field Resource", fixedInputs(role, props{"assumeRolePolicy": allow(`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Principal":{"Service":"ec2.amazonaws.com"}}`)})},
		{"misspelt service", roleToken, "Invalid principal in policy", fixedInputs(role, props{"assumeRolePolicy": trustOf("ecs-task.amazonaws.com")})},
		{"trust of a role that does not exist", roleToken, "Invalid principal in policy", fixedInputs(role, props{"assumeRolePolicy": allow(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::123456789012:role/nobody"}}`)})},
		{"trust too long", roleToken, "ACLSizePerRole: 2048", fixedInputs(role, props{"assumeRolePolicy": allow(`{"Sid":"` + strings.Repeat("a", 2100) + `","Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}`)})},
		{"no JSON", roleToken, "invalid JSON policy", fixedInputs(role, props{"assumeRolePolicy": "{oops"})},
		{"any branch of any repository", roleToken, "must evaluate token.actions.githubusercontent.com:sub", fixedInputs(props{"assumeRolePolicy": github("repo:morphee/app:*")}, props{"assumeRolePolicy": github("*")})},
		{"role name with a space", roleToken, "must match", fixedInputs(role, props{"name": "my role"})},
		{"path without end", roleToken, "begin and end with a slash", fixedInputs(role, props{"path": "/apps"})},
		{"role name taken", roleToken, "EntityAlreadyExists", func(s *simtest.Sim) (props, props) {
			aRole(s, "task", "ecs-tasks.amazonaws.com")
			return with(role, props{"name": "task2"}), props{"name": "Task"}
		}},
		{"wrong version", managedPolicyToken, "MalformedPolicyDocument", fixedInputs(managed, props{"policy": strings.Replace(allow(readSecret), "2012-10-17", "2021-10-17", 1)})},
		{"policy with principal", managedPolicyToken, "should not specify a principal", fixedInputs(managed, props{"policy": allow(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`)})},
		{"policy without resource", managedPolicyToken, "must contain resources", fixedInputs(managed, props{"policy": allow(`{"Effect":"Allow","Action":"s3:*"}`)})},
		{"resource that is no ARN", managedPolicyToken, "must be in ARN format", fixedInputs(managed, props{"policy": allow(`{"Effect":"Allow","Action":"s3:*","Resource":"my-bucket"}`)})},
		{"action without service", managedPolicyToken, "prefaced by a vendor", fixedInputs(managed, props{"policy": allow(`{"Effect":"Allow","Action":"GetObject","Resource":"*"}`)})},
		{"sid with dash", managedPolicyToken, "must be alpha-numeric", fixedInputs(managed, props{"policy": allow(strings.Replace(readSecret, "Read", "read-it", 1))})},
		{"sid twice", managedPolicyToken, "must be unique", fixedInputs(managed, props{"policy": allow(readSecret, readSecret)})},
		{"misspelt effect", managedPolicyToken, "Syntax errors in policy", fixedInputs(managed, props{"policy": allow(strings.Replace(readSecret, "Allow", "allow", 1))})},
		{"unknown condition operator", managedPolicyToken, "Invalid Condition type", fixedInputs(managed, props{"policy": allow(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringIs":{"aws:SourceIp":"x"}}}`)})},
		{"managed policy too long", managedPolicyToken, "PolicySize: 6144", fixedInputs(managed, props{"policy": big})},
		{"inline policies too long together", rolePolicyToken, "10240 bytes exceeded", func(s *simtest.Sim) (props, props) {
			aRole(s, "task", "ecs-tasks.amazonaws.com")
			s.Must(rolePolicyToken, "first", props{"role": "task", "policy": big})
			return props{"role": "task", "policy": allow(readSecret)}, props{"policy": big}
		}},
		{"inline policy of no role", rolePolicyToken, "NoSuchEntity", func(s *simtest.Sim) (props, props) {
			aRole(s, "task", "ecs-tasks.amazonaws.com")
			return props{"role": "task", "policy": allow(readSecret)}, props{"role": "other"}
		}},
		{"managed policy that AWS does not have", roleAttachmentToken, "NoSuchEntity", func(s *simtest.Sim) (props, props) {
			aRole(s, "task", "ecs-tasks.amazonaws.com")
			return props{"role": "task", "policyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"},
				props{"policyArn": "arn:aws:iam::aws:policy/AmazonECSTaskExecutionRolePolicy"}
		}},
		{"policy of a service-linked role", roleAttachmentToken, "PolicyNotAttachable", func(s *simtest.Sim) (props, props) {
			aRole(s, "task", "ecs-tasks.amazonaws.com")
			return props{"role": "task", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, props{"policyArn": "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy"}
		}},
		{"attachment by the role's ARN", roleAttachmentToken, "ValidationError", func(s *simtest.Sim) (props, props) {
			r := aRole(s, "task", "ecs-tasks.amazonaws.com")
			return props{"role": "task", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, props{"role": r.Out["arn"]}
		}},
		{"eleventh policy", roleAttachmentToken, "PoliciesPerRole: 10", func(s *simtest.Sim) (props, props) {
			aRole(s, "full", "ecs-tasks.amazonaws.com")
			aRole(s, "task", "ecs-tasks.amazonaws.com")
			for _, p := range strings.Fields("ReadOnlyAccess SecurityAudit AmazonS3ReadOnlyAccess AmazonEC2ReadOnlyAccess AmazonVPCReadOnlyAccess AmazonRDSReadOnlyAccess IAMReadOnlyAccess AWSWAFReadOnlyAccess CloudWatchReadOnlyAccess AmazonSNSReadOnlyAccess") {
				s.Must(roleAttachmentToken, p, props{"role": "full", "policyArn": "arn:aws:iam::aws:policy/" + p})
			}
			return props{"role": "task", "policyArn": "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"}, props{"role": "full"}
		}},
		{"plain http identity provider", oidcToken, "HTTPS", fixedInputs(props{"url": "https://token.actions.githubusercontent.com", "clientIdLists": []string{"sts.amazonaws.com"}}, props{"url": "http://token.actions.githubusercontent.com"})},
		{"identity provider twice", oidcToken, "EntityAlreadyExists", func(s *simtest.Sim) (props, props) {
			s.Must(oidcToken, "github", props{"url": "https://token.actions.githubusercontent.com", "clientIdLists": []string{"sts.amazonaws.com"}})
			return props{"url": "https://gitlab.com", "clientIdLists": []string{"x"}}, props{"url": "https://token.actions.githubusercontent.com"}
		}},
		{"profile of no role", profileToken, "NoSuchEntity", func(s *simtest.Sim) (props, props) {
			aRole(s, "nat", "ec2.amazonaws.com")
			return props{"role": "nat"}, props{"role": "nobody"}
		}},
		{"third access key", accessKeyToken, "AccessKeysPerUser: 2", func(s *simtest.Sim) (props, props) {
			s.Must(userToken, "backup", props{"name": "backup"})
			s.Must(userToken, "other", props{"name": "other"})
			s.Must(accessKeyToken, "a", props{"user": "backup"})
			s.Must(accessKeyToken, "b", props{"user": "backup"})
			return props{"user": "other"}, props{"user": "backup"}
		}},
	})
}

func logsKeyPolicy(service, group string) string {
	return allow(`{"Sid":"Account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}`,
		`{"Sid":"Logs","Effect":"Allow","Principal":{"Service":"`+service+`"},"Action":["kms:Encrypt*","kms:Decrypt*","kms:ReEncrypt*","kms:GenerateDataKey*","kms:Describe*"],"Resource":"*",`+
			`"Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:eu-west-1:123456789012:log-group:`+group+`"}}}`)
}

func TestKeyRefusals(t *testing.T) {
	account := func(principal string) string {
		return allow(`{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"kms:*","Resource":"*"}`)
	}
	good := props{"policy": account("arn:aws:iam::123456789012:root"), "enableKeyRotation": true}
	runRefusals(t, []refusal{
		{"policy that locks everyone out", keyToken, "will not allow you to update the key policy", fixedInputs(good, props{"policy": logsOnly})},
		{"principal that does not exist", keyToken, "MalformedPolicyDocumentException", fixedInputs(good, props{"policy": account("arn:aws:iam::123456789012:role/gone")})},
		{"rotation too often", keyToken, "(90 - 2560)", fixedInputs(with(good, props{"rotationPeriodInDays": 90}), props{"rotationPeriodInDays": 30})},
		{"deletion window too short", keyToken, "at least 7", fixedInputs(good, props{"deletionWindowInDays": 3})},
		{"rotation of an asymmetric key", keyToken, "UnsupportedOperationException", fixedInputs(props{"customerMasterKeySpec": "RSA_2048"}, props{"enableKeyRotation": true})},
		{"usage that the spec has not", keyToken, "ValidationException", fixedInputs(props{"customerMasterKeySpec": "ECC_NIST_P256", "keyUsage": "SIGN_VERIFY"}, props{"keyUsage": "ENCRYPT_DECRYPT"})},
		{"alias without prefix", aliasToken, "must begin with 'alias/'", aliasInputs(props{"name": "data"})},
		{"alias of AWS", aliasToken, "alias/aws/", aliasInputs(props{"name": "alias/aws/data"})},
		{"alias taken", aliasToken, "AlreadyExistsException", aliasInputs(props{"name": "alias/taken"})},
		{"alias of no key", aliasToken, "NotFoundException", aliasInputs(props{"targetKeyId": "11111111-2222-4333-8444-555555555555"})},
		{"replica of a single-region key", replicaToken, "UnsupportedOperationException", func(s *simtest.Sim) (props, props) {
			there := s.With("aws", props{"region": "us-east-1"})
			return props{"primaryKeyArn": there.Must(keyToken, "primary", props{"multiRegion": true}).Out["arn"]}, props{"primaryKeyArn": there.Must(keyToken, "single", props{}).Out["arn"]}
		}},
		{"replica at home", replicaToken, "must differ", func(s *simtest.Sim) (props, props) {
			there := s.With("aws", props{"region": "us-east-1"})
			return props{"primaryKeyArn": there.Must(keyToken, "primary", props{"multiRegion": true}).Out["arn"]}, props{"primaryKeyArn": s.Must(keyToken, "home", props{"multiRegion": true}).Out["arn"]}
		}},
		{"log group with a key that logs may not use", logGroupToken, "AccessDeniedException", func(s *simtest.Sim) (props, props) {
			k := s.Must(keyToken, "logs", props{"policy": logsKeyPolicy("logs.eu-west-1.amazonaws.com", "/morphee/*")})
			return props{"name": "/morphee/app", "kmsKeyId": k.Out["arn"]}, props{"kmsKeyId": s.Must(keyToken, "plain", props{}).Out["arn"]}
		}},
		{"log group outside the key's context", logGroupToken, "is not allowed to be used with Arn", func(s *simtest.Sim) (props, props) {
			k := s.Must(keyToken, "logs", props{"policy": logsKeyPolicy("logs.eu-west-1.amazonaws.com", "/morphee/*")})
			return props{"name": "/morphee/app", "kmsKeyId": k.Out["arn"]}, props{"name": "/other/app"}
		}},
		{"log group with a key for another region's logs", logGroupToken, "AccessDeniedException", func(s *simtest.Sim) (props, props) {
			k := s.Must(keyToken, "logs", props{"policy": logsKeyPolicy("logs.eu-west-1.amazonaws.com", "*")})
			return props{"kmsKeyId": k.Out["arn"]}, props{"kmsKeyId": s.Must(keyToken, "far", props{"policy": logsKeyPolicy("logs.us-east-1.amazonaws.com", "*")}).Out["arn"]}
		}},
	})
}

const logsOnly = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logs.eu-west-1.amazonaws.com"},"Action":"kms:*","Resource":"*"}]}`

func aliasInputs(mistake props) func(*simtest.Sim) (props, props) {
	return func(s *simtest.Sim) (props, props) {
		k := s.Must(keyToken, "key", props{})
		s.Must(aliasToken, "taken", props{"name": "alias/taken", "targetKeyId": k.ID})
		return props{"name": "alias/data", "targetKeyId": k.ID}, mistake
	}
}

func TestPoliciesThatMeanTheSame(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	before := `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::b/*"]}]}`
	p := s.Must(managedPolicyToken, "p", props{"name": "p", "policy": before})
	for policy, changed := range map[string]bool{
		`{ "Statement": {"Action":["s3:PutObject","s3:GetObject"],"Effect":"Allow","Resource":"arn:aws:s3:::b/*","Sid":"A"}, "Version":"2012-10-17" }`: false,
		strings.Replace(before, "s3:PutObject", "s3:DeleteObject", 1):                                                                                  true,
		strings.Replace(before, "Allow", "Deny", 1):                                                                                                    true,
	} {
		if d := s.Diff(p, props{"name": "p", "policy": policy}); (len(d.ChangedKeys) > 0) != changed {
			t.Errorf("changed %v, want %v: %s", d.ChangedKeys, changed, policy)
		}
	}
}

func TestUpdatesObeyTheSameRules(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	key := s.Must(keyToken, "key", props{})
	if _, err := s.Update(key, props{"policy": logsOnly}); err == nil || !strings.Contains(err.Error(), "PutKeyPolicy") {
		t.Errorf("a key may be locked by an update: %v", err)
	}
	role := aRole(s, "task", "ecs-tasks.amazonaws.com")
	if _, err := s.Update(role, props{"name": "task", "assumeRolePolicy": trustOf("ecs-task.amazonaws.com")}); err == nil || !strings.Contains(err.Error(), "UpdateAssumeRolePolicy") {
		t.Errorf("a role may trust nobody after an update: %v", err)
	}
	tagged, err := s.Update(role, props{"name": "task", "assumeRolePolicy": trustOf("ecs-tasks.amazonaws.com"), "tags": props{"owner": "platform"}})
	if err != nil {
		t.Fatal(err)
	}
	if tagged.Out.String("tagsAll.owner") != "platform" || tagged.Out["arn"] != role.Out["arn"] || tagged.Out["uniqueId"] != role.Out["uniqueId"] {
		t.Errorf("after an update: %v", tagged.Out)
	}
	// The sites' names stay one's own: an update does not clash with itself.
	d := s.Must(distributionToken, "site", aSite(s))
	if _, err := s.Update(d, with(d.In, props{"comment": "new"})); err != nil {
		t.Error(err)
	}
}

func TestReplacements(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	p := s.Must(parameterToken, "p", props{"name": "/morphee/p", "type": "String", "value": "1", "tier": "Advanced"})
	for tier, replaces := range map[string]bool{"Standard": true, "Intelligent-Tiering": false} {
		d := s.Diff(p, props{"name": "/morphee/p", "type": "String", "value": "1", "tier": tier})
		if (len(d.ReplaceKeys) > 0) != replaces {
			t.Errorf("tier Advanced to %s: replaces %v", tier, d.ReplaceKeys)
		}
	}
	z := s.Must(zoneToken, "zone", props{"name": "edge.morphee.app"})
	r := s.Must(recordToken, "r", props{"zoneId": z.ID, "name": "api", "type": "A", "ttl": 60, "records": []string{"192.0.2.1"}})
	if d := s.Diff(r, props{"zoneId": z.ID, "name": "api.", "type": "A", "ttl": 300, "records": []string{"192.0.2.1"}}); len(d.ReplaceKeys) > 0 || len(d.ChangedKeys) != 1 {
		t.Errorf("a new ttl and an end dot: changes %v, replaces %v", d.ChangedKeys, d.ReplaceKeys)
	}
}
