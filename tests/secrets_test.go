package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/compose"
	"github.com/morphee-app/morphee-infra/internal/deployment"
	"github.com/morphee-app/morphee-infra/internal/rehearsal"
	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
	"github.com/morphee-app/morphee-infra/tests/rig"
)

// generators are the types that make secrets, with the outputs that hold them.
var generators = map[string][]string{
	"random:index/randomPassword:RandomPassword":     {"result", "bcryptHash"},
	"random:index/randomBytes:RandomBytes":           {"base64", "hex"},
	"tls:index/privateKey:PrivateKey":                {"privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8"},
	"cloudflare:index/apiToken:ApiToken":             {"value"},
	"aws:secretsmanager/secretVersion:SecretVersion": {"secretString"},
}

// generated returns the secrets of a deployment.
func generated(all []deployment.Resource) map[string]string {
	out := map[string]string{}
	ids := map[string]bool{}
	for _, r := range all {
		ids[r.ID] = true // an id is no secret, even where it is kept with one (an access key's id)
	}
	for _, r := range all {
		for _, key := range generators[r.Type] {
			if s, _ := deployment.Plain(r.Outputs[key]).(string); len(s) >= 12 && !ids[s] {
				out[s] = r.Name + "." + key
			}
		}
	}
	return out
}

// Nothing that anybody can read has a secret in it: what is shown, the JSON documents, the state and
// the world as they are on disk, the exported deployment, the Compose file, errors.
func TestSecretsAreNowhereInPlain(t *testing.T) {
	rig.Each(t, func(t *testing.T, stack *rehearsal.Stack) {
		store := rig.NewStore(t)
		var out bytes.Buffer
		show := func(op sim.Operation, opts sim.Options) {
			opts.Out = &out
			r, _ := rig.Try(store, op, stack.Stack, opts)
			data, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(data)
		}
		show(sim.Preview, sim.Options{Diff: true})
		show(sim.Up, sim.Options{Faults: []provider.Fault{{Kind: provider.Fail, At: 60, Times: 1}}})
		show(sim.Up, sim.Options{Faults: []provider.Fault{{Kind: provider.Timeout, Times: 3}}})
		show(sim.Up, sim.Options{})
		show(sim.Preview, sim.Options{Diff: true})
		show(sim.Refresh, sim.Options{Diff: true})
		export, err := store.Export(context.Background(), stack.Name, false)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(export)
		err = filepath.Walk(store.Dir, func(path string, info os.FileInfo, err error) error {
			if err != nil || info.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			out.Write(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		all := rig.Resources(t, store, stack.Stack)
		if stack.Config.UsesServer() {
			file, err := compose.Render(stack.Name, all, stack.Opened)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(file.YAML)
		}
		secrets := generated(all)
		if len(secrets) < 5 {
			t.Fatalf("only %d secrets were generated: this test looks for them in the wrong place", len(secrets))
		}
		for secret, where := range secrets {
			for _, form := range forms(secret) {
				if i := strings.Index(out.String(), form); i >= 0 {
					t.Errorf("%s is in plain in the output: …%s…", where, around(out.String(), i))
				}
			}
		}
	})
}

// forms are how a secret may be written: as it is, and inside JSON.
func forms(secret string) []string {
	quoted, _ := json.Marshal(secret)
	return []string{secret, strings.Trim(string(quoted), `"`)}
}

// around shows where a secret was found, without showing it.
func around(s string, at int) string {
	return strings.ReplaceAll(s[max(0, at-80):at], "\n", " ") + "[secret]"
}

// Configured secrets stay secret as well. Each value is a canary.
func TestConfiguredSecretsAreNowhereInPlain(t *testing.T) {
	stack := rig.Load(t, rig.Shipped(t)["dev"])
	canaries := map[string]string{}
	canary := func(name string) string {
		canaries["canary0"+name+"8c1f"] = name
		stack.Opened["morphee:"+name] = "canary0" + name + "8c1f"
		return "canary0" + name + "8c1f"
	}
	set := func(key string, change map[string]any) {
		tree := map[string]any{}
		if text := stack.Stack.Config["morphee:"+key]; text != "" {
			if err := json.Unmarshal([]byte(text), &tree); err != nil {
				t.Fatal(err)
			}
		}
		for k, v := range change {
			tree[k] = v
		}
		data, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		stack.Stack = rig.With(stack.Stack, "morphee:"+key, string(data))
		stack.Secret = append(stack.Secret, "morphee:"+key)
	}
	stack.Secret = append([]string(nil), stack.Secret...)
	set("registry", map[string]any{"host": "ghcr.io", "username": "deploy", "password": canary("registry")})
	set("backend", map[string]any{"secrets": map[string]any{"OPENAI_API_KEY": canary("backend")}})
	set("auth", map[string]any{"smtp": map[string]any{
		"host": "smtp.example.com", "port": 587, "username": "mailer", "password": canary("smtp"), "sender": "no-reply@morphee.app"}})
	set("backups", map[string]any{"alertWebhook": "https://hooks.example.com/" + canary("webhook")})

	store := rig.NewStore(t)
	var out bytes.Buffer
	for _, op := range []sim.Operation{sim.Preview, sim.Up, sim.Refresh} {
		r := rig.Run(t, store, op, stack.Stack, sim.Options{Out: &out, Diff: op == sim.Preview})
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	for _, name := range []string{"state.json", "world.json"} {
		data, err := os.ReadFile(filepath.Join(store.Dir, stack.Name, name))
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	file, err := compose.Render(stack.Name, rig.Resources(t, store, stack.Stack), stack.Opened)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(file.YAML)
	plain, err := store.Export(context.Background(), stack.Name, true)
	if err != nil {
		t.Fatal(err)
	}
	for secret, name := range canaries {
		if i := strings.Index(out.String(), secret); i >= 0 {
			t.Errorf("the %s secret is in plain: …%s…", name, around(out.String(), i))
		}
		if !bytes.Contains(plain, []byte(secret)) {
			t.Errorf("the %s secret is not in the deployment at all: this test proves nothing for it", name)
		}
	}
}
