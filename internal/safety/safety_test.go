package safety_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/safety"
	"github.com/morphee-app/morphee-infra/internal/sim"
)

type props = map[string]any

const (
	database = "aws:rds/instance:Instance"
	volume   = "hcloud:index/volume:Volume"
)

func change(op, token, name string, protected bool, before, after props, replaces ...string) sim.ResourceChange {
	pkg, _, _ := strings.Cut(token, ":")
	return sim.ResourceChange{
		URN: "urn:pulumi:s::p::morphee:x:Y$" + token + "::" + name, Type: token, Name: name, Op: op, Provider: pkg,
		Protected: protected, Before: before, After: after, Replaces: replaces,
	}
}

func TestWhatIsALoss(t *testing.T) {
	for _, c := range []struct {
		name       string
		change     sim.ResourceChange
		disposable bool
		lost       bool
		says       []string
	}{
		{"data deleted", change("delete", database, "db", true, props{}, nil), false, true, []string{"no longer part of the stack", "the data in it", "put back"}},
		{"data replaced", change("replace", database, "db", true, props{"kmsKeyId": "arn:a"}, props{"kmsKeyId": "arn:b"}, "kmsKeyId"), false, true,
			[]string{"kmsKeyId of db changes from arn:a to arn:b", "copy a snapshot with the new key"}},
		{"another name", change("replace", database, "db", true, props{"dbName": "a"}, props{"dbName": "b"}, "dbName"), false, true, []string{"morphee:aws.database.name"}},
		{"no rule for the property", change("replace", database, "db", true, props{"timezone": "a"}, props{"timezone": ""}, "timezone"), false, true,
			[]string{"from a to nothing", "make a new one next to it"}},
		{"inside a property", change("replace", database, "db", true, props{"x": []any{1.0}}, props{"x": []any{2.0}}, "x[0]"), false, true, []string{"x[0] of db changes;", "put the value back"}},
		{"shrunk volume", change("update", volume, "v", true, props{"size": 40.0}, props{"size": 20.0}), false, true, []string{"size of v changes from 40 to 20", "morphee:server.volumeSizeGiB", "only grows"}},
		{"grown volume", change("update", volume, "v", true, props{"size": 20.0}, props{"size": 40.0}), false, false, nil},
		{"size not known yet", change("update", volume, "v", true, props{"size": 20.0}, props{"size": "[unknown]"}), false, false, nil},
		{"shrunk disk", change("update", database, "db", true, props{"allocatedStorage": 40.0}, props{"allocatedStorage": 20.0}), false, true, []string{"RDS never shrinks"}},
		{"another update", change("update", database, "db", true, props{"allocatedStorage": 40.0}, props{"allocatedStorage": 40.0}), false, false, nil},
		{"created", change("create", database, "db", false, nil, nil), false, false, nil},
		{"holds nothing", change("replace", "aws:ecs/service:Service", "s", false, props{}, props{}, "cluster"), false, false, nil},
		{"holds nothing but is protected", change("delete", "aws:lb/loadBalancer:LoadBalancer", "lb", true, props{}, nil), false, true, []string{"it is protected"}},
		{"the network", change("replace", "aws:ec2/vpc:Vpc", "vpc", false, props{"cidrBlock": "10.64.0.0/16"}, props{"cidrBlock": "10.65.0.0/16"}, "cidrBlock"), false, true,
			[]string{"everything that stands in it", "morphee:aws.regionIndex"}},
		{"unprotected data", change("delete", volume, "v", false, props{}, nil), false, true, nil},
		{"disposable", change("delete", volume, "v", false, props{}, nil), true, false, nil},
		{"disposable, but still protected", change("delete", volume, "v", true, props{}, nil), true, true, []string{"lift the protection by a change of its own"}},
		{"read replica", change("delete", database, "r", false, props{"replicateSourceDb": "db"}, nil), false, false, nil},
		{"files that are written again", change("delete", "docker:index/volume:Volume", "backend-secrets", false, props{"name": "backend-secrets"}, nil), false, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			planned := &sim.Result{Resources: []sim.ResourceChange{c.change}}
			err := safety.Guard(safety.Options{Disposable: c.disposable})(planned)
			if (err != nil) != c.lost {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.says {
				text := strings.ReplaceAll(err.Error(), "\n", ";")
				if !strings.Contains(text, want) {
					t.Errorf("no %q in:\n%v", want, err)
				}
			}
		})
	}
}

// What is accepted goes, if nothing protects it in the state; a disk does not shrink for a reason either.
func TestAcceptedLosses(t *testing.T) {
	accept := safety.Options{Accept: func(c sim.ResourceChange) string {
		if c.Name == "old" {
			return "moved to another volume"
		}
		return ""
	}}
	for _, c := range []struct {
		name   string
		change sim.ResourceChange
		says   string // "" is not refused
	}{
		{"accepted", change("delete", volume, "old", false, props{}, nil), ""},
		{"a replacement too", change("replace", volume, "old", false, props{}, props{}, "location"), ""},
		{"another", change("delete", volume, "data", false, props{}, nil), "no longer part of the stack"},
		{"still protected", change("delete", volume, "old", true, props{}, nil), "accepted (moved to another volume), but it is still protected in the state"},
		{"a smaller disk", change("update", volume, "old", false, props{"size": 40.0}, props{"size": 20.0}), "only grows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			planned := &sim.Result{Resources: []sim.ResourceChange{c.change}}
			err := safety.Guard(accept)(planned)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			losses := safety.Losses(planned, accept)
			if len(losses) != 1 || losses[0].Refused() != (c.says != "") {
				t.Errorf("losses: %+v", losses)
			}
		})
	}
	const urn = "urn:pulumi:s::p::hcloud:index/volume:Volume::old"
	told := &sim.Result{Errors: []string{"resource \"" + urn + "\" cannot be deleted because it is protected"}}
	if err := safety.Guard(accept)(told); err == nil || !strings.Contains(err.Error(), "still protected in the state") {
		t.Errorf("what only the engine tells: %v", err)
	}
}

func TestCausesAreShared(t *testing.T) {
	planned := &sim.Result{Resources: []sim.ResourceChange{
		change("replace", "pulumi:providers:aws", "aws-regional", false, props{"region": "eu-west-1"}, props{"region": "eu-north-1"}, "region"),
		change("replace", database, "db", true, props{}, props{}, "provider"),
		change("replace", "aws:kms/key:Key", "key", true, props{}, props{}, "provider"),
		change("replace", "cloudflare:index/r2Bucket:R2Bucket", "backups", true, props{"name": "a"}, props{"name": "b"}, "name"),
	}}
	planned.Resources[0].Provider = ""
	losses := safety.Losses(planned, safety.Options{})
	if len(losses) != 3 {
		t.Fatalf("losses: %v", losses)
	}
	refusal := &safety.Refusal{Losses: losses}
	causes := refusal.Unwrap()
	if len(causes) != 2 {
		t.Fatalf("%d causes: %v", len(causes), refusal)
	}
	if text := causes[1].Error(); !strings.Contains(text, "aws-regional changes from eu-west-1 to eu-north-1") || !strings.Contains(text, "key,") || !strings.Contains(text, "db,") {
		t.Errorf("the region: %s", text)
	}
}

func TestMovesAreNamed(t *testing.T) {
	engine := &sim.Result{Resources: []sim.ResourceChange{
		change("delete", database, "db", true, props{}, nil), change("create", "aws:rds/cluster:Cluster", "cluster", false, nil, nil),
	}}
	platform := &sim.Result{Resources: []sim.ResourceChange{
		change("delete", volume, "v", true, props{}, nil), change("create", "aws:ec2/vpc:Vpc", "vpc", false, nil, nil),
	}}
	for want, planned := range map[string]*sim.Result{"engine changes from rds to aurora": engine, "leave hetzner for aws": platform} {
		if err := safety.Guard(safety.Options{})(planned); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
}

// The engine may stop at what is protected without a step that shows it.
func TestErrorsOfTheEngineAreExplained(t *testing.T) {
	const urn = "urn:pulumi:s::p::morphee:aws:AuroraOrRds$aws:rds/instance:Instance::db"
	for _, text := range []string{
		"db: unable to replace resource \"" + urn + "\"\nas it is currently marked for protection. To unprotect the resource, …",
		"db: Preview failed: resource \"" + urn + "\" cannot be deleted\nbecause it is protected. To unprotect the resource, …",
		"unable to replace resource \"" + urn + "\" as part of replacing \"urn:pulumi:s::p::aws:kms/key:Key::key\" as it is currently marked for protection.",
	} {
		losses := safety.Losses(&sim.Result{Errors: []string{text, "another error"}}, safety.Options{Disposable: true})
		if len(losses) != 1 || losses[0].Name != "db" || losses[0].Type != database || losses[0].Kind == "" {
			t.Errorf("%q is %+v", text, losses)
		}
	}
	planned := &sim.Result{Errors: []string{"resource \"" + urn + "\" cannot be deleted because it is protected"}}
	planned.Resources = []sim.ResourceChange{change("delete", database, "db", true, props{}, nil)}
	planned.Resources[0].URN = urn
	if losses := safety.Losses(planned, safety.Options{}); len(losses) != 1 {
		t.Errorf("told twice: %v", losses)
	}
}

func TestARefusalIsAnError(t *testing.T) {
	err := safety.Guard(safety.Options{})(&sim.Result{Resources: []sim.ResourceChange{change("delete", volume, "v", true, props{}, nil)}})
	refusal := new(safety.Refusal)
	if !errors.As(err, &refusal) || !slices.ContainsFunc(refusal.Losses, func(l safety.Loss) bool { return l.Name == "v" && l.Op == "delete" }) {
		t.Errorf("%v", err)
	}
}
