package ops

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
)

//go:embed cloud-init
var cloudInitFiles embed.FS

// maxUserData is Hetzner's limit in bytes.
const maxUserData = 32 * 1024

// Boot is what every server is told at first boot.
type Boot struct {
	Hostname       string
	User           string   // the one account that may log in
	AuthorizedKeys []string // OpenSSH's one-line form
	SSHPort        int
	VolumeID       string // Hetzner's number of the data volume
	Timezone       string
	RebootTimeUTC  string // "HH:MM"; empty: never restart by itself
}

// CloudInit is what differs between Docker hosts at first boot.
type CloudInit struct {
	Boot
	DockerVersion  string
	CoolifyVersion string // empty: none
	SwapMiB        int    // 0: none
	IPv6           bool
}

// file is one entry of write_files.
type file struct{ Path, Mode, Content string }

// SwapBytes is the size of the swap file in bytes.
func (c CloudInit) SwapBytes() int { return c.SwapMiB << 20 }

// DockerPool is the range of the container networks.
func (c CloudInit) DockerPool() string { return DockerAddressPool }

// Render returns the user data. Equal input gives equal output.
func (c CloudInit) Render() (string, error) {
	files, err := c.files()
	if err != nil {
		return "", err
	}
	out, err := render("user-data.yaml.tmpl", struct {
		CloudInit
		Files []file
	}{c, files})
	if err != nil {
		return "", err
	}
	if len(out) > maxUserData {
		return "", fmt.Errorf("user data is %d bytes, Hetzner takes %d: authorize fewer keys at bootstrap", len(out), maxUserData)
	}
	return out, nil
}

func (c CloudInit) files() ([]file, error) {
	daemon, err := c.daemonJSON()
	if err != nil {
		return nil, err
	}
	env := fmt.Sprintf("VOLUME_ID=%q\nDOCKER_VERSION=%q\nCOOLIFY_VERSION=%q\nDEPLOY_USER=%q\n",
		c.VolumeID, c.DockerVersion, c.CoolifyVersion, c.User)
	list := []file{
		{"/etc/morphee/bootstrap.env", "0644", env},
		{"/etc/docker/daemon.json", "0644", daemon},
	}
	for _, f := range []file{
		{"/etc/morphee/sshd.conf", "0644", "sshd.conf.tmpl"},
		{"/etc/systemd/system/docker.service.d/10-mounts.conf", "0644", "docker-mounts.conf"},
		{"/etc/sysctl.d/60-morphee.conf", "0644", "sysctl.conf"},
		{"/etc/apt/apt.conf.d/60morphee-unattended", "0644", "unattended-upgrades.conf.tmpl"},
		{"/usr/local/sbin/morphee-bootstrap", "0755", "bootstrap.sh"},
	} {
		if strings.HasSuffix(f.Content, ".tmpl") {
			f.Content, err = render(f.Content, c)
		} else {
			f.Content, err = read(f.Content)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// daemonJSON is Docker's own configuration.
func (c CloudInit) daemonJSON() (string, error) {
	conf := map[string]any{
		// Exactly what Coolify's installer wants, which then leaves this file alone.
		"log-driver":            "json-file",
		"log-opts":              map[string]string{"max-size": "10m", "max-file": "3"},
		"default-address-pools": []map[string]any{{"base": DockerAddressPool, "size": 24}},
		// Containers keep running while dockerd restarts.
		"live-restore": true,
		// The kernel forwards published ports, and containers see who calls. Only the proxy process
		// can bring IPv6 callers to containers, whose networks are IPv4.
		"userland-proxy": c.IPv6,
	}
	if c.CoolifyVersion == "" {
		// Some of what Coolify starts needs setuid programs; what this project starts does not.
		conf["no-new-privileges"] = true
	}
	b, err := json.MarshalIndent(conf, "", "  ")
	return string(b) + "\n", err
}

func read(name string) (string, error) {
	b, err := cloudInitFiles.ReadFile("cloud-init/" + name)
	return string(b), err
}

// templateFuncs are what every template may use.
var templateFuncs = template.FuncMap{
	// JSON strings are YAML strings: no value can break out of its place.
	"json": func(v any) (string, error) { b, err := json.Marshal(v); return string(b), err },
	"indent": func(n int, s string) string {
		lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
		for i, l := range lines {
			if l != "" {
				lines[i] = strings.Repeat(" ", n) + l
			}
		}
		return strings.Join(lines, "\n")
	},
}

func render(name string, data any) (string, error) {
	return renderFrom(cloudInitFiles, "cloud-init", name, data)
}
