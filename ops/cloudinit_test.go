package ops

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/testtools"
)

func sample() CloudInit {
	return CloudInit{
		Boot: Boot{
			Hostname: "morphee-dev-vps", User: "morphee", SSHPort: 22, VolumeID: "1234567", Timezone: "Etc/UTC", RebootTime: "04:30",
			AuthorizedKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDYVzZ8J0q0nFhQyq7p1pYx8Xk1Zq3bqz2lq6Q0q0q0q ops: \"quoted\" # not a comment"},
		},
		DockerVersion: DockerVersion, SwapMiB: 2048, IPv6: true,
	}
}

func mustRender(t *testing.T, c CloudInit) string {
	t.Helper()
	out, err := c.Render()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func run(t *testing.T, dir string, env []string, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func write(t *testing.T, path, content string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUserDataPassesCloudInitsSchema(t *testing.T) {
	t.Parallel()
	cloudInit := testtools.Need(t, "cloud-init", "cloud-init")
	coolify := sample()
	coolify.CoolifyVersion, coolify.SwapMiB, coolify.RebootTime, coolify.SSHPort = "4.0.0-beta.442", 0, "", 2222
	for name, c := range map[string]CloudInit{"traefik": sample(), "coolify": coolify} {
		path := write(t, filepath.Join(t.TempDir(), "user-data.yaml"), mustRender(t, c), 0o644)
		if out, err := run(t, "", nil, cloudInit, "schema", "--config-file", path); err != nil || !strings.Contains(out, "Valid") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	// The checker must be able to say no.
	bad := write(t, filepath.Join(t.TempDir(), "bad.yaml"), strings.Replace(mustRender(t, sample()), "disable_root: true", "disable_root: [7]", 1), 0o644)
	if out, err := run(t, "", nil, cloudInit, "schema", "--config-file", bad); err == nil {
		t.Errorf("a wrong document passed: %s", out)
	}
}

func TestUserDataContent(t *testing.T) {
	t.Parallel()
	out := mustRender(t, sample())
	if out != mustRender(t, sample()) {
		t.Error("two renderings differ")
	}
	for _, want := range []string{
		`ssh_pwauth: false`, `disable_root: true`, `lock_passwd: true`,
		`VOLUME_ID="1234567"`, `DOCKER_VERSION="28.5.2"`, `size: 2147483648`,
		`PermitRootLogin no`, `AllowUsers morphee`, `Port 22`, `Automatic-Reboot-Time "04:30"`,
		`AssertPathIsMountPoint=/var/lib/docker/volumes`, `vm.overcommit_memory = 1`,
		`"no-new-privileges": true`, `"userland-proxy": true`, `"live-restore": true`, `"max-size": "10m"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("user data lacks %s", want)
		}
	}
	for _, never := range []string{"PRIVATE KEY", "password:", "chpasswd", "passwd: ", "prohibit-password"} {
		if strings.Contains(strings.ReplaceAll(out, "lock_passwd: ", ""), never) {
			t.Errorf("user data holds %q", never)
		}
	}

	c := sample()
	c.CoolifyVersion, c.SwapMiB, c.RebootTime, c.IPv6 = "4.0.0-beta.442", 0, "", false
	out = mustRender(t, c)
	for _, want := range []string{`COOLIFY_VERSION="4.0.0-beta.442"`, "Match Address 127.0.0.1,::1," + DockerAddressPool, `Automatic-Reboot "false"`, `"userland-proxy": false`} {
		if !strings.Contains(out, want) {
			t.Errorf("user data with Coolify lacks %s", want)
		}
	}
	for _, never := range []string{"swapfile", `"no-new-privileges"`} {
		if strings.Contains(out, never) {
			t.Errorf("user data with Coolify holds %q", never)
		}
	}
}

func TestUserDataTooLarge(t *testing.T) {
	t.Parallel()
	c := sample()
	for range 200 {
		c.AuthorizedKeys = append(c.AuthorizedKeys, "ssh-rsa "+strings.Repeat("A", 200))
	}
	if _, err := c.Render(); err == nil || !strings.Contains(err.Error(), "Hetzner takes 32768") {
		t.Errorf("got %v, want an error about the size", err)
	}
}

func TestDaemonConfigurationIsJSON(t *testing.T) {
	t.Parallel()
	text, err := sample().daemonJSON()
	if err != nil {
		t.Fatal(err)
	}
	var conf struct {
		Pools []struct {
			Base string
			Size int
		} `json:"default-address-pools"`
	}
	if err := json.Unmarshal([]byte(text), &conf); err != nil {
		t.Fatal(err)
	}
	if len(conf.Pools) != 1 || conf.Pools[0].Base != DockerAddressPool || conf.Pools[0].Size != 24 {
		t.Errorf("got %+v", conf.Pools)
	}
}

func TestSSHSettingsAreAccepted(t *testing.T) {
	t.Parallel()
	sshd, keygen := testtools.Need(t, "sshd", "openssh-server"), testtools.Need(t, "ssh-keygen", "openssh-client")
	for _, coolify := range []string{"", "4.0.0-beta.442"} {
		c, dir := sample(), t.TempDir()
		c.CoolifyVersion = coolify
		text, err := render("cloud-init/sshd.conf.tmpl", c)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := run(t, dir, nil, keygen, "-q", "-t", "ed25519", "-N", "", "-f", "hostkey"); err != nil {
			t.Fatal(err, out)
		}
		_ = os.MkdirAll("/run/sshd", 0o755) // sshd's own check wants it; it is made at boot elsewhere
		conf := write(t, filepath.Join(dir, "sshd.conf"), text, 0o644)
		args := []string{"-T", "-f", conf, "-h", filepath.Join(dir, "hostkey"), "-C", "user=root,host=x,addr=203.0.113.9"}
		out, err := run(t, dir, nil, sshd, args...)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range []string{"permitrootlogin no", "passwordauthentication no", "maxstartups 200:30:400"} {
			if !strings.Contains(out, want) {
				t.Errorf("coolify %q, from outside: sshd does not have %q", coolify, want)
			}
		}
		args[len(args)-1] = "user=root,host=x,addr=172.20.3.4"
		out, _ = run(t, dir, nil, sshd, args...)
		inside := strings.Contains(out, "permitrootlogin without-password") || strings.Contains(out, "permitrootlogin prohibit-password")
		if inside != (coolify != "") {
			t.Errorf("coolify %q: root from a container may log in: %v", coolify, inside)
		}
	}
}

func TestAuthorizedKeysScript(t *testing.T) {
	t.Parallel()
	testtools.Need(t, "ssh-keygen", "openssh-client")
	home := t.TempDir()
	if out, err := run(t, home, nil, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"); err != nil {
		t.Fatal(err, out)
	}
	key, _ := os.ReadFile(filepath.Join(home, "key.pub"))
	install := func(stdin string) error {
		cmd := exec.Command("bash", "-c", AuthorizedKeysScript)
		cmd.Env, cmd.Stdin = append(os.Environ(), "HOME="+home), strings.NewReader(stdin)
		return cmd.Run()
	}
	if err := install(string(key)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", string(key) + "not a key\n"} {
		if install(bad) == nil {
			t.Errorf("accepted %q", bad)
		}
	}
	if have, _ := os.ReadFile(filepath.Join(home, ".ssh/authorized_keys")); string(have) != string(key) {
		t.Errorf("authorized keys are %q, want the last good ones", have)
	}
}
