package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/morphee-app/morphee-infra/internal/config"
)

// The source document's numbers are requirements: they are the defaults.
func TestDefaults(t *testing.T) {
	c, err := config.Parse(base(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ what, got, want any }{
		{"domain", c.Domain, "morphee.app"},
		{"hosts", c.Hosts, config.Hosts{App: "app.morphee.app", API: "api.morphee.app", Git: "git.morphee.app", Auth: "auth.morphee.app", Server: "vps.morphee.app", GitServer: "git-vps.morphee.app"}},
		{"server type", c.Server.Type, "cpx31"},
		{"fallbacks", c.Server.FallbackLocations, []string{"fsn1", "hel1"}},
		{"Forgejo memory", c.Limits.Forgejo.MemoryMiB, 512},
		{"Forgejo CPU", c.Limits.Forgejo.CPUs, 0.5},
		{"retention", c.Backups.Retention, config.Retention{PostgresDays: 30, GitDays: 14, FilesDays: 14, LocalDays: 7}},
		{"RDS class", c.AWS.Database.InstanceClass, "db.t4g.small"},
		{"database backups", c.AWS.Database.BackupRetentionDays, 30},
		{"ACU", c.AWS.Database.MinACU, 0.5},
		{"backend", [3]int{c.AWS.Backend.Tasks, c.AWS.Backend.CPUUnits, c.AWS.Backend.MemoryMiB}, [3]int{2, 512, 1024}},
		{"Forgejo task", [2]int{c.AWS.Forgejo.CPUUnits, c.AWS.Forgejo.MemoryMiB}, [2]int{512, 1024}},
		{"files", c.AWS.FileSystem, config.FileSystem{InfrequentAfterDays: 30, ArchiveAfterDays: 90}},
		{"cache", c.AWS.Cache.NodeType, "cache.t4g.micro"},
		{"zones", c.AWS.ZoneNames, []string{"eu-west-1a", "eu-west-1b"}},
		{"thresholds", []any{c.Alarms.CPUPercent, c.Alarms.MemoryPercent, c.Alarms.DiskPercent, c.Alarms.ErrorRatePercent, c.Alarms.LatencyP95Milliseconds, c.Alarms.WebSocketDisconnectPercent, c.Alarms.RedisMemoryMB, c.Alarms.PeriodMinutes},
			[]any{80, 85, 90, 5.0, 1000, 10.0, 200, 5}},
		{"disposable", c.Disposable, false},
	} {
		if !reflect.DeepEqual(x.got, x.want) {
			t.Errorf("%s: got %v, want %v", x.what, x.got, x.want)
		}
	}
	if !strings.HasPrefix(c.Images.Forgejo, "codeberg.org/forgejo/forgejo:13.") {
		t.Errorf("Forgejo's image is %s", c.Images.Forgejo)
	}
}

func TestServerServicesFollowThePhase(t *testing.T) {
	names := func(text string, phase int) string {
		c, err := config.Parse(with(t, base(phase), text))
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, s := range c.ServerServices() {
			out = append(out, s.Service)
		}
		return strings.Join(out, " ")
	}
	if got := names("{}", 0); got != "traefik frontend backend redis postgres gotrue" {
		t.Error(got)
	}
	if got := names("{}", 1); got != "traefik frontend backend redis postgres gotrue forgejo backup" {
		t.Error(got)
	}
	if got := names("reverseProxy: coolify", 1); strings.Contains(got, "traefik") {
		t.Error(got)
	}
}

// The program and what watches it take the public names from here: one that is left out nobody misses.
func TestPublicNames(t *testing.T) {
	c := config.Config{Hosts: config.Hosts{App: "app", API: "api", Auth: "auth", Git: "git", Server: "vps", GitServer: "git-vps"}}
	if got := c.PublicNames(); !slices.Equal(got, []string{"app", "api", "auth"}) {
		t.Errorf("without Forgejo: %v", got)
	}
	c.Forgejo.Enabled = true
	if got := c.PublicNames(); !slices.Equal(got, []string{"app", "api", "auth", "git"}) {
		t.Errorf("with Forgejo: %v", got)
	}
	if got := c.ServiceNames(); !slices.Equal(got, []string{"api", "auth", "git"}) {
		t.Errorf("services: %v", got)
	}
}

// The server restarts by its own clock, and the backup runs by UTC: their times are compared only where
// both are the same. (What is refused there is among the mistakes.)
func TestRebootTimeIsByTheServersClock(t *testing.T) {
	if _, err := config.Parse(with(t, base(1), "server: {timezone: Asia/Tokyo, rebootTime: '03:45'}")); err != nil {
		t.Errorf("03:45 in Tokyo is not in the backup's hour: %v", err)
	}
}

// What is said and what is not: a value given wins over the default, false and 0 too.
func TestGivenValuesWin(t *testing.T) {
	c, err := config.Parse(with(t, base(1), `
server: {backups: false, swapMiB: 0, rebootTime: ''}
backend: {environment: {LOG_LEVEL: debug}}
limits: {backend: {memoryMiB: 1024}}
hosts: {api: backend.morphee.app}
ssh: {allowAnySource: true, allowedSources: [0.0.0.0/0]}
`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.Backups || c.Server.SwapMiB != 0 || c.Server.RebootTime != "" || c.Backend.Environment["LOG_LEVEL"] != "debug" {
		t.Errorf("got %+v", c.Server)
	}
	if c.Limits.Backend != (config.Limits{MemoryMiB: 1024, CPUs: 1.25, Pids: 512}) || c.Hosts.API != "backend.morphee.app" || c.Hosts.App != "app.morphee.app" {
		t.Errorf("got %+v %+v", c.Limits.Backend, c.Hosts)
	}
}

func TestDisposableMayKeepLess(t *testing.T) {
	tree := with(t, base(3), `{disposable: true, backups: {enabled: false, retention: {postgresDays: 1}}, aws: {database: {backupRetentionDays: 1}}}`)
	if errs := problems(t, tree); errs != nil {
		t.Error(errs)
	}
}

const canary = "canary-8c1f7e02d4"

// Whatever is encrypted, or is where a secret belongs, stays out of every message and every print.
func TestNoSecretIsShown(t *testing.T) {
	trees := map[string]any{
		"plain secret":     map[string]any{"auth": map[string]any{"smtp": map[string]any{"password": canary}}},
		"wrong kind":       map[string]any{"auth": map[string]any{"smtp": map[string]any{"password": []any{canary}}}},
		"in the parent":    map[string]any{"auth": map[string]any{"smtp": canary}},
		"misspelt key":     map[string]any{"auth": map[string]any{"smtp": map[string]any{"pasword": canary}}},
		"misspelt top key": map[string]any{"athu": canary},
		"plain in map":     map[string]any{"backend": map[string]any{"secrets": map[string]any{"A": canary}}},
		"number in map":    map[string]any{"backend": map[string]any{"secrets": map[string]any{"A": 7}}},
		"environment":      map[string]any{"backend": map[string]any{"environment": map[string]any{"A_TOKEN": canary}}},
		"bad URL":          map[string]any{"backups": map[string]any{"alertWebhook": config.Hidden{Value: "http://" + canary}}},
		"hidden enum":      map[string]any{"reverseProxy": config.Hidden{Value: canary}},
		"hidden number":    map[string]any{"server": map[string]any{"swapMiB": config.Hidden{Value: canary}}},
		"hidden parent":    map[string]any{"server": config.Hidden{Value: map[string]any{"type": canary, "location": canary}}},
		"hidden in a list": map[string]any{"ssh": map[string]any{"allowedSources": []any{config.Hidden{Value: canary}}}},
		"named elsewhere":  map[string]any{"dns": map[string]any{"zone": config.Hidden{Value: canary + ".org"}}},
		"tag":              map[string]any{"tags": map[string]any{"a": config.Hidden{Value: canary + " "}}},
	}
	for name, over := range trees {
		tree := base(1)
		merge(tree, over.(map[string]any))
		errs := problems(t, tree)
		if len(errs) == 0 {
			t.Errorf("%s: no problem at all", name)
		}
		if strings.Contains(errs.Error(), canary) || strings.Contains(fmt.Sprintf("%#v", errs), canary) {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

func TestSecretHidesItself(t *testing.T) {
	s := config.NewSecret(canary)
	text, err := json.Marshal(map[string]any{"s": s, "p": &s})
	if err != nil {
		t.Fatal(err)
	}
	page, err := yaml.Marshal(map[string]any{"s": s, "list": []config.Secret{s}})
	if err != nil {
		t.Fatal(err)
	}
	all := string(text) + string(page) + s.String() + fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s) +
		fmt.Sprintf("%v %+v %#v", struct{ S config.Secret }{s}, []config.Secret{s}, map[string]config.Secret{"a": s}) + fmt.Sprint(&s)
	if strings.Contains(all, canary) || strings.Contains(all, fmt.Sprintf("%x", canary)) {
		t.Error(all)
	}
	if s.Reveal() != canary || !s.IsSet() || (config.Secret{}).IsSet() || (config.Secret{}).String() != "" {
		t.Error("the value must be had from Reveal alone")
	}
}

func TestOpenedSecretsAreTaken(t *testing.T) {
	tree := base(1)
	merge(tree, map[string]any{
		"registry": map[string]any{"host": "ghcr.io", "username": "u", "password": config.Hidden{Value: canary}},
		"backend":  config.Hidden{Value: map[string]any{"secrets": map[string]any{"A": "value-of-a"}, "environment": map[string]any{"B": "c"}}},
	})
	c, err := config.Parse(tree)
	if err != nil {
		t.Fatal(err)
	}
	if c.Registry.Password.Reveal() != canary || c.Backend.Secrets["A"].Reveal() != "value-of-a" || c.Backend.Environment["B"] != "c" {
		t.Errorf("got %+v", c)
	}
}

// A file can be checked without the key to it: what is sealed is neither missing nor wrong.
func TestFileWithSecureValues(t *testing.T) {
	f, err := config.ParseFile("Pulumi.x.yaml", []byte(`
encryptionsalt: v1:abc
config:
  aws:region: eu-west-1
  phase: 1
  morphee:owner: {secure: AAAA}
  morphee:acmeEmail: {secure: BBBB}
  morphee:cloudflareAccountId: {secure: CCCC}
  morphee:auth:
    smtp: {host: smtp.example.com, username: u, password: {secure: DDDD}}
  morphee:ssh:
    authorizedKeys: [{secure: EEEE}]
    allowedSources: [198.51.100.0/24]
    port: {secure: FFFF}
`))
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(f.Typed())
	if err != nil {
		t.Fatal(err)
	}
	if f.Stack != "x" || f.EncryptionSalt != "v1:abc" || f.Values["aws:region"] != "eu-west-1" || !c.Auth.SMTP.Password.IsSet() || c.SSH.Port != 22 {
		t.Errorf("got %+v %+v", f, c)
	}
	var asked []string
	values, secretKeys, err := f.Program(func(path, _ string) (string, error) {
		asked = append(asked, path)
		return "opened", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "morphee:acmeEmail morphee:auth.smtp.password morphee:cloudflareAccountId morphee:owner morphee:ssh.authorizedKeys[0] morphee:ssh.port"; strings.Join(asked, " ") != want {
		t.Errorf("asked for %v", asked)
	}
	if want := "morphee:acmeEmail morphee:auth morphee:cloudflareAccountId morphee:owner morphee:ssh"; strings.Join(secretKeys, " ") != want {
		t.Errorf("secret keys %v", secretKeys)
	}
	if values["morphee:owner"] != "opened" || values["morphee:phase"] != "1" || !strings.Contains(values["morphee:auth"], `"password":"opened"`) {
		t.Errorf("values %v", values)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"phase: 1":                               "no config: section",
		"config: [":                              "yaml",
		"config: {phase: 1, phase: 2}":           "already defined",
		"config: {phase: 1, 'morphee:phase': 2}": "twice",
	} {
		if _, err := config.ParseFile("x.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, _, err := config.LoadFile(filepath.Join(t.TempDir(), "none.yaml")); err == nil || !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil {
			return err
		}
		if os.IsNotExist(err) {
			return err
		}
		err = u.Unwrap()
	}
}

func TestSchedules(t *testing.T) {
	for _, x := range []struct{ text, cron, aws, systemd string }{
		{"03:15", "15 3 * * *", "15 3 * * ? *", "*-*-* 03:15:00 UTC"},
		{"5 14 * * *", "5 14 * * *", "5 14 * * ? *", "*-*-* 14:05:00 UTC"},
	} {
		s, err := config.ParseSchedule(x.text)
		if err != nil || s.Cron() != x.cron || s.AWS() != x.aws || s.OnCalendar() != x.systemd {
			t.Errorf("%s: %q %q %q %v", x.text, s.Cron(), s.AWS(), s.OnCalendar(), err)
		}
	}
	for _, bad := range []string{"", "3:15", "24:00", "60 1 * * *", "0 1 2 * *", "a b c d e", "*/6 * * * *", "0 2,14 * * *", "+1 2 * * *", "0 24 * * *"} {
		if _, err := config.ParseSchedule(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// trees are random values of every kind, under real keys as often as not.
func trees(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), anyOf), rapid.Map(rapid.Int(), anyOf), rapid.Map(rapid.Float64(), anyOf),
		rapid.Map(rapid.String(), anyOf), rapid.Map(rapid.Uint64(), anyOf), rapid.Just[any](struct{}{}),
		rapid.SampledFrom([]any{"", "0.0.0.0/0", "10.0.0.0/8", "cpx31", "eu-west-1", "aurora", "coolify", "none", "15.8", "00:00-23:59", "sun:00:00-sun:00:00",
			json.Number("1e999"), json.Number("3"), config.Sealed{Ciphertext: "x"}, config.Hidden{Value: config.Hidden{Value: "hidden-value"}}, config.Hidden{}}),
	)
	if depth == 0 {
		return leaf
	}
	inner := rapid.Deferred(func() *rapid.Generator[any] { return trees(depth - 1) })
	return rapid.OneOf(leaf, rapid.Map(rapid.SliceOfN(inner, 0, 4), anyOf),
		rapid.Map(rapid.MapOfN(keys(), inner, 0, 8), anyOf),
		rapid.Map(inner, func(v any) any { return config.Hidden{Value: v} }))
}

func anyOf[T any](v T) any { return v }

func keys() *rapid.Generator[string] {
	var known []string
	var collect func(t reflect.Type)
	collect = func(t reflect.Type) {
		for _, f := range reflect.VisibleFields(t) {
			known = append(known, f.Tag.Get("key"))
			if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[config.Secret]() {
				collect(f.Type)
			}
		}
	}
	collect(reflect.TypeFor[config.Config]())
	slices.Sort(known)
	return rapid.OneOf(rapid.SampledFrom(slices.Compact(known)), rapid.String())
}

func TestParseNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := base(rapid.IntRange(-1, 5).Draw(t, "phase"))
		merge(tree, rapid.MapOfN(keys(), trees(3), 0, 10).Draw(t, "tree"))
		_, err := config.Parse(tree)
		_, again := config.Parse(tree)
		if fmt.Sprint(err) != fmt.Sprint(again) {
			t.Fatalf("not stable: %v, then %v", err, again)
		}
		if strings.Contains(fmt.Sprint(err), "hidden-value") {
			t.Fatalf("a hidden value is shown: %v", err)
		}
	})
}

// Damaged stack files are refused or read, never a panic.
func TestDamagedFiles(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join("..", "..", "Pulumi.dev.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		data := slices.Clone(whole)
		for range rapid.IntRange(1, 8).Draw(t, "n") {
			at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				data[at] = rapid.SampledFrom([]byte("\n :-[]{}'\"&*#|>~0aZ\x00\xff")).Draw(t, "byte")
			case 1:
				data = slices.Delete(data, at, min(len(data), at+rapid.IntRange(1, 20).Draw(t, "less")))
			case 2:
				data = slices.Insert(data, at, data[at:min(len(data), at+20)]...)
			}
			if len(data) == 0 {
				return
			}
		}
		readDamaged(data)
	})
}

func readDamaged(data []byte) {
	file, err := config.ParseFile("x.yaml", data)
	if err != nil {
		return
	}
	_, _ = config.Parse(file.Typed())
	_, _, _ = file.Program(func(string, string) (string, error) { return "", nil })
}

func FuzzParseFile(f *testing.F) {
	for _, path := range []string{"Pulumi.dev.yaml", "Pulumi.prod.yaml", "stacks/examples/phase3-aurora.yaml"} {
		data, err := os.ReadFile(filepath.Join("..", "..", path))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("config: {1: 2, ~: ~, a: &a [*a], morphee:phase: 2026-02-20, morphee:tags: {? [x] : y}}"))
	f.Fuzz(func(_ *testing.T, data []byte) { readDamaged(data) })
}
