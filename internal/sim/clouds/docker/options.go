package docker

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var capabilities = strings.Fields(`ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN
	DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD
	NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT
	SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM`)

// options are the daemon's checks of settings that stand for themselves.
func options(c *cloud.Call) error {
	for _, list := range []string{"adds", "drops"} {
		for _, name := range c.In.Strings("capabilities." + list) {
			if !slices.Contains(capabilities, strings.TrimPrefix(strings.ToUpper(name), "CAP_")) {
				return create("invalid %s: unknown capability: %q", map[string]string{"adds": "CapAdd", "drops": "CapDrop"}[list], name)
			}
		}
	}
	for _, e := range c.In.Strings("envs") {
		if e == "" || e[0] == '=' {
			return create("invalid environment variable: %s", e)
		}
	}
	for _, u := range c.In.Objects("ulimits") {
		if u.Int("hard") != -1 && u.Int("soft") > u.Int("hard") {
			return create("invalid ulimit options: soft limit of %s must be less than or equal to hard limit: %d > %d", u.String("name"), u.Int("soft"), u.Int("hard"))
		}
	}
	known := []string{"no-new-privileges", "apparmor", "seccomp", "label", "systempaths", "writable-cgroups"}
	for _, o := range c.In.Strings("securityOpts") {
		key := o[:strings.IndexAny(o+"=", "=:")]
		if !slices.Contains(known, key) {
			return create("invalid --security-opt 1: %q", o)
		}
	}
	return nil
}
