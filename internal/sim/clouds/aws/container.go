package aws

import (
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// checkContainer refuses one container definition as RegisterTaskDefinition does.
func (t task) checkContainer(c cloud.Object) error {
	name := c.String("name")
	if c.String("image") == "" {
		return register("ClientException", "Container.image should not be null or empty.")
	}
	if !t.in.Has("memory") && !c.Has("memory") && !c.Has("memoryReservation") {
		return register("ClientException", "Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", name)
	}
	if c.Has("memory") && c.Has("memoryReservation") && c.Int("memoryReservation") > c.Int("memory") {
		return register("ClientException", "Invalid setting for container '%s'. The specified 'memoryReservation' must be less than or equal to 'memory'.", name)
	}
	if limit := mebibytes(t.in.String("memory")); limit > 0 && max(c.Int("memory"), c.Int("memoryReservation")) > limit {
		return register("ClientException", "Invalid setting for container '%s'. Its memory (%d) exceeds the memory of the task (%d).", name, max(c.Int("memory"), c.Int("memoryReservation")), limit)
	}
	for _, check := range []func(cloud.Object) error{t.checkPorts, t.checkMounts, t.checkEnvironment, t.checkLogs, t.checkHealth, t.checkLinux} {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

func (t task) checkPorts(c cloud.Object) error {
	seen := map[string]bool{}
	for _, p := range c.Objects("portMappings") {
		inner, host, protocol := p.Int("containerPort"), p.Int("hostPort"), orText(p.String("protocol"), "tcp")
		if inner < 1 || inner > 65535 || host < 0 || host > 65535 {
			return register("ClientException", "Invalid port mapping of container '%s': ports must be between 1 and 65535.", c.String("name"))
		}
		if protocol != "tcp" && protocol != "udp" {
			return register("ClientException", "Invalid protocol '%s' in a port mapping of container '%s'.", protocol, c.String("name"))
		}
		if t.in.String("networkMode") == "awsvpc" && host != 0 && host != inner {
			return register("ClientException", "When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
		}
		key := p.String("containerPort") + protocol
		if seen[key] {
			return register("ClientException", "Container '%s' maps port %d/%s more than once.", c.String("name"), inner, protocol)
		}
		seen[key] = true
	}
	if t.in.String("networkMode") == "awsvpc" {
		for _, key := range []string{"links", "extraHosts", "dnsServers", "hostname"} {
			if v := c.Get(key); v != nil && (cloud.Text(v) != "" || len(c.List(key)) > 0) {
				return register("ClientException", "The '%s' setting of container '%s' is not supported when networkMode=awsvpc.", key, c.String("name"))
			}
		}
	}
	return nil
}

func (t task) checkMounts(c cloud.Object) error {
	volumes, paths := map[string]bool{}, map[string]bool{}
	for _, v := range t.in.Objects("volumes") {
		volumes[v.String("name")] = true
	}
	for _, m := range c.Objects("mountPoints") {
		if name := m.String("sourceVolume"); !volumes[name] {
			return register("ClientException", "Unknown volume '%s'.", name)
		}
		path := m.String("containerPath")
		if !strings.HasPrefix(path, "/") && !strings.Contains(path, ":\\") {
			return register("ClientException", "Invalid containerPath '%s' of a mount point of container '%s'.", path, c.String("name"))
		}
		if paths[path] {
			return register("ClientException", "Container '%s' mounts '%s' more than once.", c.String("name"), path)
		}
		paths[path] = true
	}
	return nil
}

func (t task) checkEnvironment(c cloud.Object) error {
	names := map[string]bool{}
	for _, e := range c.Objects("environment") {
		if e.String("name") == "" {
			return register("ClientException", "Environment variable of container '%s' has no name.", c.String("name"))
		}
		names[e.String("name")] = true
	}
	secrets := c.Objects("secrets")
	for _, s := range secrets {
		name, from := s.String("name"), s.String("valueFrom")
		if name == "" || from == "" {
			return register("ClientException", "Invalid secret of container '%s': name and valueFrom are required.", c.String("name"))
		}
		if names[name] {
			return register("ClientException", "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '%s'.", name)
		}
		names[name] = true
		if strings.HasPrefix(from, "arn:") && !isARN(from, "secretsmanager") && !isARN(from, "ssm") {
			return register("ClientException", "Invalid valueFrom '%s' of secret '%s': the ARN of a secret or parameter is required.", from, name)
		}
	}
	if len(secrets) > 0 && !t.in.Has("executionRoleArn") {
		return register("ClientException", "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
	}
	return nil
}

var logDrivers = []string{"awslogs", "fluentd", "gelf", "json-file", "journald", "syslog", "splunk", "awsfirelens", "logentries"}

func (t task) checkLogs(c cloud.Object) error {
	logs := c.Object("logConfiguration")
	if logs == nil {
		return nil
	}
	driver, options := logs.String("logDriver"), logs.Object("options")
	if !slices.Contains(logDrivers, driver) {
		return register("ClientException", "Invalid log driver '%s' of container '%s'.", driver, c.String("name"))
	}
	if t.fargate && !slices.Contains([]string{"awslogs", "splunk", "awsfirelens"}, driver) {
		return register("ClientException", "Fargate does not support the log driver '%s'. Supported are awslogs, splunk and awsfirelens.", driver)
	}
	if driver == "awslogs" {
		need := []string{"awslogs-group", "awslogs-region"}
		if t.fargate {
			need = append(need, "awslogs-stream-prefix")
		}
		for _, key := range need {
			if options.String(key) == "" {
				return register("ClientException", "Log driver awslogs requires options: %s", list(need))
			}
		}
		if region := options.String("awslogs-region"); regions[region] == nil {
			return register("ClientException", "Log driver awslogs: '%s' is not a region.", region)
		}
		if t.fargate && !t.in.Has("executionRoleArn") {
			return register("ClientException", "Fargate requires task definition to have execution role ARN to support log driver awslogs.")
		}
	}
	if driver == "awsfirelens" && !slices.ContainsFunc(t.containers, func(o cloud.Object) bool { return o.Has("firelensConfiguration") }) {
		return register("ClientException", "When a container uses the awsfirelens log driver, the task definition must have a container with a FireLens configuration.")
	}
	return nil
}

func (t task) checkHealth(c cloud.Object) error {
	h := c.Object("healthCheck")
	if h == nil {
		return nil
	}
	if command := h.Strings("command"); len(command) == 0 || !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, command[0]) {
		return register("ClientException", "Health check command of container '%s' must start with CMD or CMD-SHELL.", c.String("name"))
	}
	for key, limits := range map[string][2]int{"interval": {5, 300}, "timeout": {2, 120}, "retries": {1, 10}, "startPeriod": {0, 300}} {
		if v := h.Int(key); h.Has(key) && (v < limits[0] || v > limits[1]) {
			return register("ClientException", "Health check %s of container '%s' must be between %d and %d, got %d.", key, c.String("name"), limits[0], limits[1], v)
		}
	}
	return nil
}

func (t task) checkLinux(c cloud.Object) error {
	if !t.fargate {
		return nil
	}
	linux := c.Object("linuxParameters")
	switch {
	case c.Bool("privileged"):
		return register("ClientException", "Fargate compatible task definitions do not support privileged containers (container '%s').", c.String("name"))
	case slices.ContainsFunc(linux.Strings("capabilities.add"), func(s string) bool { return s != "SYS_PTRACE" }):
		return register("ClientException", "Fargate supports no added capability but SYS_PTRACE (container '%s').", c.String("name"))
	case len(linux.List("devices")) > 0 || len(linux.List("tmpfs")) > 0 || linux.Has("sharedMemorySize") || linux.Has("maxSwap"):
		return register("ClientException", "Fargate does not support devices, tmpfs, sharedMemorySize or maxSwap (container '%s').", c.String("name"))
	case len(c.List("dockerSecurityOptions")) > 0:
		return register("ClientException", "Fargate does not support dockerSecurityOptions (container '%s').", c.String("name"))
	case c.Int("stopTimeout") > 120:
		return register("ClientException", "Container stop timeout must be at most 120 seconds on Fargate, got %d (container '%s').", c.Int("stopTimeout"), c.String("name"))
	}
	for _, u := range c.Objects("ulimits") {
		if u.String("name") != "nofile" {
			return register("ClientException", "Fargate supports no ulimit but nofile (container '%s').", c.String("name"))
		}
	}
	return nil
}
