package aws

import (
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

const (
	secretPolicyToken   = "aws:secretsmanager/secretPolicy:SecretPolicy"
	secretRotationToken = "aws:secretsmanager/secretRotation:SecretRotation"
	subscriptionToken   = "aws:sns/topicSubscription:TopicSubscription"
)

func TestSecretAndMessageRefusals(t *testing.T) {
	onSecret := func(good, mistake props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			return with(props{"secretId": s.Must(secretToken, "db", props{"name": "db"}).ID}, good), mistake
		}
	}
	onTopic := func(good, mistake props) func(*simtest.Sim) (props, props) {
		return func(s *simtest.Sim) (props, props) {
			return with(props{"topic": s.Must(topicToken, "alarms", props{"name": "alarms"}).ID}, good), mistake
		}
	}
	publish := func(topic string) string {
		return allow(`{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"` + topic + `"}`)
	}
	email := props{"protocol": "email", "endpoint": "ops@morphee.app"}
	parameter := props{"name": "/morphee/image", "type": "String", "value": "1"}
	runRefusals(t, []refusal{
		{"secret name with a space", secretToken, "invalid value for name", fixedInputs(props{"name": "db/password"}, props{"name": "db password"})},
		{"recovery of three days", secretToken, "in the range (7 - 30)", fixedInputs(props{"recoveryWindowInDays": 7}, props{"recoveryWindowInDays": 3})},
		{"secret name taken", secretToken, "ResourceExistsException", func(s *simtest.Sim) (props, props) {
			s.Must(secretToken, "db", props{"name": "db"})
			return props{"name": "db2"}, props{"name": "db"}
		}},
		{"secret under a key of another region", secretToken, "KMS key cannot be used", func(s *simtest.Sim) (props, props) {
			return props{"kmsKeyId": s.Must(keyToken, "k", props{}).Out["arn"]}, props{"kmsKeyId": s.With("aws", props{"region": "us-east-1"}).Must(keyToken, "far", props{}).Out["arn"]}
		}},
		{"replica at home", secretToken, "Invalid replica region", fixedInputs(props{"replicas": []any{props{"region": "us-east-1"}}}, props{"replicas": []any{props{"region": "eu-west-1"}}})},
		{"secret of 70 KiB", secretVersionToken, "less than or equal to 65536", onSecret(props{"secretString": "s3cret"}, props{"secretString": strings.Repeat("x", 70000)})},
		{"empty secret", secretVersionToken, "You must provide either SecretString or SecretBinary", onSecret(props{"secretString": "s3cret"}, props{"secretString": nil})},
		{"version of no secret", secretVersionToken, "ResourceNotFoundException", onSecret(props{"secretString": "s3cret"}, props{"secretId": "other"})},
		{"rotation by nobody", secretRotationToken, "No Lambda rotation function", onSecret(props{"rotationRules": props{"automaticallyAfterDays": 30}, "rotationLambdaArn": "arn:aws:lambda:eu-west-1:123456789012:function:rotate"}, props{"rotationLambdaArn": nil})},
		{"secret for everyone", secretPolicyToken, "PublicPolicyException", func(s *simtest.Sim) (props, props) {
			read := func(principal string) string {
				return allow(`{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}`)
			}
			return props{"secretArn": s.Must(secretToken, "db", props{"name": "db"}).ID, "blockPublicPolicy": true, "policy": read("arn:aws:iam::123456789012:root")}, props{"policy": read("*")}
		}},
		{"topic name with a dot", topicToken, "invalid topic name", fixedInputs(props{"name": "alarms"}, props{"name": "alarms.prod"})},
		{"FIFO topic without its suffix", topicToken, ".fifo", fixedInputs(props{"name": "jobs.fifo", "fifoTopic": true}, props{"name": "jobs"})},
		{"e-mail address that is none", subscriptionToken, "Email endpoint", onTopic(email, props{"endpoint": "ops at morphee.app"})},
		{"https to http", subscriptionToken, "must match the specified protocol", onTopic(props{"protocol": "https", "endpoint": "https://hooks.example.com/x"}, props{"endpoint": "http://hooks.example.com/x"})},
		{"protocol that is none", subscriptionToken, "expected protocol", onTopic(email, props{"protocol": "slack"})},
		{"subscription of no topic", subscriptionToken, "NotFound", onTopic(email, props{"topic": "arn:aws:sns:eu-west-1:123456789012:other"})},
		{"topic policy for another service's action", topicPolicyToken, "action out of service scope", func(s *simtest.Sim) (props, props) {
			topic := s.Must(topicToken, "alarms", props{"name": "alarms"}).ID
			return props{"arn": topic, "policy": publish(topic)}, props{"policy": strings.Replace(publish(topic), "sns:Publish", "sqs:SendMessage", 1)}
		}},
		{"topic policy without principal", topicPolicyToken, "Missing required field Principal", func(s *simtest.Sim) (props, props) {
			topic := s.Must(topicToken, "alarms", props{"name": "alarms"}).ID
			return props{"arn": topic, "policy": publish(topic)}, props{"policy": allow(`{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}`)}
		}},
		{"parameter of AWS", parameterToken, "can't be prefixed", fixedInputs(parameter, props{"name": "/aws/image"})},
		{"parameter too long", parameterToken, "4096", fixedInputs(with(parameter, props{"value": strings.Repeat("x", 4096)}), props{"value": strings.Repeat("x", 4097)})},
		{"parameter against its pattern", parameterToken, "ParameterPatternMismatchException", fixedInputs(with(parameter, props{"allowedPattern": "^[0-9]+$"}), props{"value": "one"})},
		{"parameter that exists", parameterToken, "ParameterAlreadyExists", func(s *simtest.Sim) (props, props) {
			s.Must(parameterToken, "p", with(parameter, props{"name": "/morphee/taken"}))
			return parameter, props{"name": "/morphee/taken"}
		}},
	})
}

func TestSecretNameStaysTaken(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	db := s.Must(secretToken, "db", props{"name": "db", "recoveryWindowInDays": 7})
	if !strings.HasPrefix(db.ID, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-") || len(db.ID) != len("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-")+6 {
		t.Errorf("ARN %q", db.ID)
	}
	if err := s.Delete(db); err != nil {
		t.Fatal(err)
	}
	s.Refuses(secretToken, "again", props{"name": "db"}, "already scheduled for deletion")
	s.With("aws", props{"region": "us-east-1"}).Must(secretToken, "elsewhere", props{"name": "db"})

	// Without a recovery window nothing is left of it.
	for days, left := range map[float64]bool{0: false, 7: true} {
		c := &cloud.Call{Type: secretToken, ID: "arn", Scope: "eu-west-1", World: s.World, Old: cloud.Object{"name": "gone", "recoveryWindowInDays": days}}
		if err := deleteSecret(c); err != nil || (remembered(c, "secret", "gone") != nil) != left {
			t.Errorf("recovery window %v: name still taken %v, %v", days, !left, err)
		}
		forget(c, "secret", "gone")
	}

	first := s.Must(secretToken, "auto", props{})
	if err := s.Delete(first); err != nil {
		t.Fatal(err)
	}
	s.Must(secretToken, "auto", props{}) // generated names do not clash with what is left of themselves
}

func TestKeyOutputsAndPendingDeletion(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	k := s.Must(keyToken, "k", props{"deletionWindowInDays": 7, "enableKeyRotation": true})
	if k.Out.String("arn") != "arn:aws:kms:eu-west-1:123456789012:key/"+k.ID || k.Out.Int("rotationPeriodInDays") != 365 || !strings.Contains(k.Out.String("policy"), ":root") {
		t.Errorf("outputs %v", k.Out)
	}
	if m := s.Must(keyToken, "m", props{"multiRegion": true}); !strings.HasPrefix(m.ID, "mrk-") {
		t.Errorf("id of a multi-region key: %q", m.ID)
	}
	a := s.Must(aliasToken, "a", props{"name": "alias/a", "targetKeyId": k.Out["arn"]})
	if d := s.Diff(a, props{"name": "alias/a", "targetKeyId": k.ID}); len(d.ChangedKeys) > 0 {
		t.Errorf("a key's id instead of its ARN is a change: %v", d.ChangedKeys)
	}
	if err := s.Delete(k); err != nil {
		t.Fatal(err)
	}
	s.Refuses(aliasToken, "late", props{"name": "alias/late", "targetKeyId": k.ID}, "pending deletion")
	s.Refuses(secretToken, "late", props{"kmsKeyId": k.Out["arn"]}, "pending deletion")
}

func TestIdentityOutputsAndDelete(t *testing.T) {
	s := edgeSim(t, "eu-west-1")
	r := s.Must(roleToken, "task", props{"name": "task", "path": "/morphee/", "assumeRolePolicy": trustOf("ecs-tasks.amazonaws.com")})
	if r.Out.String("arn") != "arn:aws:iam::123456789012:role/morphee/task" || !strings.HasPrefix(r.Out.String("uniqueId"), "AROA") || len(r.Out.String("uniqueId")) != 21 {
		t.Errorf("outputs %v", r.Out)
	}
	p := s.Must(managedPolicyToken, "read", props{"name": "read", "policy": allow(readSecret)})
	at := s.Must(roleAttachmentToken, "at", props{"role": "task", "policyArn": p.ID})
	if err := s.Delete(r); err == nil || !strings.Contains(err.Error(), "must detach all policies first") {
		t.Errorf("deleting a role with a policy: %v", err)
	}
	if err := s.Delete(p); err == nil || !strings.Contains(err.Error(), "DeleteConflict") {
		t.Errorf("deleting an attached policy: %v", err)
	}
	forced, err := s.Update(r, props{"name": "task", "path": "/morphee/", "assumeRolePolicy": trustOf("ecs-tasks.amazonaws.com"), "forceDetachPolicies": true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(forced); err != nil {
		t.Errorf("deleting a role that detaches: %v", err)
	}
	if err := s.Delete(at); err != nil {
		t.Error(err)
	}
	if err := s.Delete(p); err != nil {
		t.Errorf("deleting a policy that nothing has: %v", err)
	}
	// Another region's provider sees the same identities.
	aRole(s, "global", "ec2.amazonaws.com")
	s.With("aws", props{"region": "us-east-1"}).Refuses(roleToken, "global", props{"name": "global", "assumeRolePolicy": trustOf("ec2.amazonaws.com")}, "EntityAlreadyExists")
}
