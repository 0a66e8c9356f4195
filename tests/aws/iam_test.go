package aws

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// managed are AWS's own policies that may be attached, with the reason. What is in them is AWS's to say.
var managed = map[string]string{
	"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore":                       "the NAT instance is reached through Session Manager, with no port open",
	"arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup":   "AWS Backup's own role, assumed by the service alone",
	"arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores": "AWS Backup's own role, assumed by the service alone",
	"arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole":       "enhanced monitoring's own role, assumed by RDS alone",
}

// statement is one statement of a policy document.
type statement struct {
	where                      string
	sid, effect                string
	actions, resources, people []string
	negated                    bool // NotAction, NotResource or NotPrincipal
}

// wildcards lists what in an Allow is open-ended.
func (s statement) wildcards() []string {
	var out []string
	if s.effect != "Allow" {
		return nil
	}
	if s.negated {
		out = append(out, "everything but what is named")
	}
	for _, a := range s.actions {
		if strings.Contains(a, "*") {
			out = append(out, "action "+a)
		}
	}
	for _, r := range s.resources {
		if wildResource(r) {
			out = append(out, "resource "+r)
		}
	}
	for _, p := range s.people {
		if strings.Contains(p, "*") {
			out = append(out, "principal "+p)
		}
	}
	return out
}

// wildResource says whether a resource names nothing in particular: all of a kind, or anywhere. What is
// below something named (a bucket's objects) is particular.
func wildResource(r string) bool {
	if !strings.Contains(r, "*") {
		return false
	}
	parts := strings.SplitN(r, ":", 6)
	if len(parts) < 6 || strings.Contains(strings.Join(parts[1:5], ""), "*") {
		return true
	}
	name := parts[5]
	for _, kind := range []string{"log-group:", "secret:", "function:", "db:", "cluster:"} {
		name = strings.TrimPrefix(name, kind)
	}
	if i := strings.IndexByte(name, '/'); i >= 0 && parts[2] != "s3" {
		name = name[i+1:] // role/NAME, key/ID, repository/NAME
	}
	return strings.HasPrefix(name, "*")
}

// statements reads every policy document among a resource's inputs, wherever it is.
func statements(t *testing.T, r deployment.Resource) []statement {
	t.Helper()
	var out []statement
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				walk(path+"."+k, e)
			}
		case []any:
			for _, e := range v {
				walk(path+"[]", e)
			}
		case string:
			if !strings.HasPrefix(strings.TrimSpace(v), "{") || !strings.Contains(v, `"Statement"`) {
				return
			}
			var doc struct{ Statement json.RawMessage }
			if err := json.Unmarshal([]byte(v), &doc); err != nil {
				t.Errorf("%s %s%s is no policy document: %v", r.Type, r.Name, path, err)
				return
			}
			out = append(out, parseStatements(t, r.Type+" "+r.Name+path, doc.Statement)...)
		}
	}
	walk("", deployment.Plain(r.Inputs))
	return out
}

func parseStatements(t *testing.T, where string, raw json.RawMessage) []statement {
	t.Helper()
	var list []map[string]any
	if json.Unmarshal(raw, &list) != nil {
		var one map[string]any
		if err := json.Unmarshal(raw, &one); err != nil {
			t.Errorf("%s: statements cannot be read: %v", where, err)
		}
		list = append(list, one)
	}
	var out []statement
	for _, m := range list {
		s := statement{where: where, actions: either(m["Action"]), resources: either(m["Resource"])}
		s.sid, _ = m["Sid"].(string)
		s.effect, _ = m["Effect"].(string)
		s.people = either(m["Principal"])
		if who, ok := m["Principal"].(map[string]any); ok {
			for _, v := range who {
				s.people = append(s.people, either(v)...)
			}
		}
		for _, not := range []string{"NotAction", "NotResource", "NotPrincipal"} {
			_, there := m[not]
			s.negated = s.negated || there
		}
		out = append(out, s)
	}
	return out
}

// either is a value that may be a text or a list of them.
func either(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, either(e)...)
		}
		return out
	}
	return nil
}

// No policy allows everything of something without saying why. The reason is in the statement's id.
func TestWildcardsHaveAReason(t *testing.T) {
	rig.Each(t, func(t *testing.T, stack *rehearsal.Stack) {
		if stack.Config.Phase < 3 {
			t.Skip("not on AWS")
		}
		s := stack.Stack
		if stack.Config.Phase == 3 { // with all that has policies of its own
			s = set(t, s, "aws.forgejo.sshLoadBalancer", true, "aws.backend.exec", true, "aws.backups.vaultLock", true,
				"aws.registry.pullThrough", []string{"public.ecr.aws"}, "github.repository", "morphee-app/morphee-infra")
		}
		store := rig.NewStore(t)
		rig.Run(t, store, sim.Up, s, sim.Options{})
		documents, wild := map[string]bool{}, 0
		for _, r := range rig.Resources(t, store, s) {
			for _, st := range statements(t, r) {
				documents[st.where] = true
				if st.sid == "" && r.Type != "aws:iam/role:Role" {
					t.Errorf("%s: a statement without an id: %+v", st.where, st)
				}
				if w := st.wildcards(); len(w) > 0 {
					wild++
					t.Logf("%s: %s: %s", st.where, st.sid, strings.Join(w, ", "))
					if _, reason, ok := strings.Cut(st.sid, "Because"); !ok || len(reason) < 8 {
						t.Errorf("%s: statement %q has a wildcard and no reason: %s", st.where, st.sid, strings.Join(w, ", "))
					}
				}
			}
			for _, key := range []string{"policyArn", "managedPolicyArns"} {
				for _, arn := range either(r.Inputs[key]) {
					if strings.HasPrefix(arn, "arn:aws:iam::aws:") && managed[arn] == "" {
						t.Errorf("%s %s attaches %s, for which no reason is written here", r.Type, r.Name, arn)
					}
				}
			}
		}
		if len(documents) < 30 {
			t.Errorf("only %d policy documents were found", len(documents))
		}
		t.Logf("%d documents, %d statements with a wildcard", len(documents), wild)
	})
}

// The test above would see each of these.
func TestWildcardsAreSeen(t *testing.T) {
	for doc, want := range map[string]int{
		`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b"}]}`:                                           1,
		`{"Statement":{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"]}}`:                                              1,
		`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}]}`:                            0,
		`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::*"}]}`:                                   1,
		`{"Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::123456789012:role/*"}]}`:                 1,
		`{"Statement":[{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"arn:aws:logs:eu-west-1:1:log-group:a:*"}]}`:      0,
		`{"Statement":[{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"arn:aws:logs:*:1:log-group:a"}]}`:                1,
		`{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Principal":"*"}]}`:                                            0,
		`{"Statement":[{"Effect":"Allow","NotAction":"iam:CreateUser","Resource":"arn:aws:s3:::b"}]}`:                              1,
		`{"Statement":[{"Effect":"Allow","Action":"sns:Publish","Principal":{"AWS":"*"},"Resource":"arn:aws:sns:eu-west-1:1:t"}]}`: 1,
	} {
		r := deployment.Resource{Inputs: map[string]any{"deep": []any{map[string]any{"policy": deployment.Secret{Value: doc}}}}}
		got := 0
		for _, s := range statements(t, r) {
			got += len(s.wildcards())
		}
		if got != want {
			t.Errorf("%s has %d wildcards, want %d", doc, got, want)
		}
	}
	if !slices.Contains(either([]any{"a", []any{"b"}}), "b") {
		t.Error("nested lists are not read")
	}
}
