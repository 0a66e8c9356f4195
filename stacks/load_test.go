package stacks_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumiconfig "github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/config"
	"github.com/morphee-app/morphee-infra/stacks"
)

type mocks struct{}

func (mocks) NewResource(a pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return a.Name, a.Inputs, nil
}
func (mocks) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// load runs Load in a program with the given configuration.
func load(t *testing.T, values map[string]string, secretKeys ...string) (c config.Config, err error) {
	t.Helper()
	runErr := pulumi.RunErr(func(ctx *pulumi.Context) error {
		c, err = stacks.Load(ctx)
		return nil
	}, pulumi.WithMocks("morphee", "test", mocks{}), func(info *pulumi.RunInfo) {
		info.Config, info.ConfigSecretKeys = values, secretKeys
	})
	if runErr != nil {
		t.Fatal(runErr)
	}
	return c, err
}

func valid() map[string]string {
	return map[string]string{
		"morphee:phase":               "3",
		"morphee:owner":               "platform",
		"morphee:cloudflareAccountId": "0123456789abcdef0123456789abcdef",
		"morphee:alarms":              `{"emails":["ops@morphee.app"],"errorRatePercent":2.5}`,
		"morphee:disposable":          "true",
		"aws:region":                  "eu-west-1",
	}
}

func TestLoadReadsEveryKind(t *testing.T) {
	c, err := load(t, valid())
	if err != nil {
		t.Fatal(err)
	}
	if c.Phase != 3 || !c.Disposable || c.Alarms.Emails[0] != "ops@morphee.app" || c.Alarms.ErrorRatePercent != 2.5 || c.AWS.Zones != 2 {
		t.Errorf("got %+v", c)
	}
}

func TestLoadAgreesWithTheFile(t *testing.T) {
	for _, path := range []string{"../Pulumi.dev.yaml", "../Pulumi.prod.yaml", "examples/phase3-aurora.yaml"} {
		f, want, err := config.LoadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		values, secretKeys, err := f.Program(func(string, string) (string, error) { return "", errors.New("nothing is encrypted") })
		if err != nil {
			t.Fatal(err)
		}
		got, err := load(t, values, secretKeys...)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s: the program sees\n%+v\nand the file says\n%+v", path, got, want)
		}
	}
}

var sealed = regexp.MustCompile(`\{"secure":"([^"]*)"\}`)

// Pulumi must read the stack files, those with a stack: entry too, as the project does.
func TestPulumiReadsTheFilesTheSame(t *testing.T) {
	project, err := workspace.LoadProject("../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Glob("examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	for _, path := range append(examples, "../Pulumi.dev.yaml", "../Pulumi.prod.yaml") {
		theirs, err := workspace.LoadProjectStack(nil, project, path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := theirs.Config.Decrypt(pulumiconfig.NopDecrypter)
		if err != nil {
			t.Fatal(err)
		}
		f, err := config.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := f.Program(func(_, ciphertext string) (string, error) { return ciphertext, nil })
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d keys, Pulumi reads %d", path, len(got), len(want))
		}
		for key, text := range want {
			// What is encrypted inside a map stays wrapped when nothing is decrypted.
			text = sealed.ReplaceAllString(text, `"$1"`)
			if got[key.String()] != text {
				t.Errorf("%s: %s is %s, Pulumi reads %s", path, key, got[key.String()], text)
			}
		}
	}
}

func TestLoadKeepsSecrets(t *testing.T) {
	const canary = "canary-5f0e9b1c77"
	values := valid()
	values["morphee:auth"] = `{"smtp":{"host":"smtp.example.com","username":"u","password":"` + canary + `"}}`
	c, err := load(t, values, "morphee:auth")
	if err != nil {
		t.Fatal(err)
	}
	if c.Auth.SMTP.Password.Reveal() != canary || strings.Contains(fmt.Sprintf("%+v %#v", c, c), canary) {
		t.Error("the password must be there, and must not be printed")
	}
	if _, err = load(t, values); err == nil || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "morphee:auth.smtp.password: [secret] is a secret but stands unencrypted") {
		t.Errorf("an unencrypted password: %v", err)
	}
	values["morphee:auth"] = `{"smtp":{"host":"` + canary + `","username":{"x":"` + canary + `"},"port":"` + canary + `"}}`
	if _, err = load(t, values, "morphee:auth"); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("a value of an encrypted key is shown: %v", err)
	}
}

func TestSecretIsAPulumiSecret(t *testing.T) {
	if !pulumi.IsSecret(stacks.Secret(config.NewSecret("x"))) {
		t.Error("not a secret")
	}
}

func TestLoadFindsUnknownKeysInTheEnvironment(t *testing.T) {
	values := valid()
	values["morphee:ownr"] = "x"
	if _, err := load(t, values); err != nil {
		t.Fatalf("without a list of keys: %v", err)
	}
	list, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(pulumi.EnvConfig, string(list))
	if _, err = load(t, values); err == nil || !strings.Contains(err.Error(), `morphee:ownr: is not a known key; did you mean "owner"?`) {
		t.Errorf("got %v", err)
	}
	// The environment of another program says nothing about this one.
	if _, err = load(t, valid()); err != nil {
		t.Errorf("with a foreign list: %v", err)
	}
}

func TestLoadReportsWrongKinds(t *testing.T) {
	values := valid()
	values["morphee:aws"] = "eu-west-1"
	values["morphee:phase"] = "three"
	values["morphee:tags"] = `{"a":1} x`
	var errs config.Errors
	_, err := load(t, values)
	if !errors.As(err, &errs) || len(errs) != 3 {
		t.Errorf("want 3 problems, got %v", err)
	}
}

// Pulumi must take the project file, defaults and all.
func TestProjectFileIsValid(t *testing.T) {
	p, err := workspace.LoadProject("../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "morphee" || len(p.Config) != len(config.Keys()) {
		t.Errorf("name %s, %d keys, want morphee and %d", p.Name, len(p.Config), len(config.Keys()))
	}
	for _, key := range config.Keys() {
		declared, ok := p.Config["morphee:"+key]
		if !ok || declared.Description == "" {
			t.Errorf("%s is not declared", key)
		}
		if required := key == "phase" || key == "owner"; required == (declared.Default != nil) {
			t.Errorf("%s: default %v", key, declared.Default)
		}
		if structured := declared.TypeName() == "object" || declared.TypeName() == "array"; structured == config.Scalar(key) {
			t.Errorf("%s is declared as %s", key, declared.TypeName())
		}
	}
}

// What Pulumi fills in from the project file must mean the same as leaving the keys out.
func TestProjectDefaultsChangeNothing(t *testing.T) {
	p, err := workspace.LoadProject("../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := load(t, valid())
	if err != nil {
		t.Fatal(err)
	}
	values := valid()
	for key, declared := range p.Config {
		if _, set := values[key]; set || declared.Default == nil {
			continue
		}
		if text, ok := declared.Default.(string); ok {
			values[key] = text
			continue
		}
		text, err := json.Marshal(declared.Default)
		if err != nil {
			t.Fatal(err)
		}
		values[key] = string(text)
	}
	got, err := load(t, values)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("with the project's defaults\n%+v\nwithout\n%+v", got, want)
	}
}

func TestMain(m *testing.M) {
	// The tests say themselves what the environment holds.
	if err := os.Unsetenv(pulumi.EnvConfig); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
