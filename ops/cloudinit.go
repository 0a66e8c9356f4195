package ops

import (
	"encoding/json"
	"fmt"
)

// CloudInit is what differs between Docker hosts at first boot.
type CloudInit struct {
	Boot
	DockerVersion  string
	CoolifyVersion string // empty: none
	SwapMiB        int    // 0: none
	IPv6           bool
}

// SwapBytes is the size of the swap file in bytes.
func (c CloudInit) SwapBytes() int { return c.SwapMiB << 20 }

// DockerPool is the range of the container networks.
func (c CloudInit) DockerPool() string { return DockerAddressPool }

// Render returns the user data. Equal input gives equal output.
func (c CloudInit) Render() (string, error) {
	daemon, err := c.daemonJSON()
	if err != nil {
		return "", err
	}
	env := fmt.Sprintf("VOLUME_ID=%q\nDOCKER_VERSION=%q\nCOOLIFY_VERSION=%q\nDEPLOY_USER=%q\n",
		c.VolumeID, c.DockerVersion, c.CoolifyVersion, c.User)
	return userData("cloud-init/user-data.yaml.tmpl", c, []file{
		{"/etc/morphee/bootstrap.env", "0644", env},
		{"/etc/docker/daemon.json", "0644", daemon},
	}, []file{
		{"/etc/morphee/sshd.conf", "0644", "cloud-init/sshd.conf.tmpl"},
		{"/etc/systemd/system/docker.service.d/10-mounts.conf", "0644", "cloud-init/docker-mounts.conf"},
		{"/etc/sysctl.d/60-morphee.conf", "0644", "cloud-init/sysctl.conf"},
		{"/etc/apt/apt.conf.d/60morphee-unattended", "0644", "cloud-init/unattended-upgrades.conf.tmpl"},
		{"/usr/local/sbin/morphee-bootstrap", "0755", "cloud-init/bootstrap.sh"},
	})
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
