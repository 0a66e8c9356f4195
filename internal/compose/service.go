package compose

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/deployment"
)

// skipped are inputs that tell the provider how to deploy, or restate Docker's defaults. They have no
// place in a Compose file.
var skipped = map[string]bool{
	"__defaults": true, "attach": true, "containerReadRefreshTimeoutMilliseconds": true, "destroyGraceSeconds": true,
	"logs": true, "mustRun": true, "removeVolumes": true, "rm": true, "start": true, "stdinOpen": true, "tty": true,
	"wait": true, "waitTimeout": true, "publishAllPorts": true, "memoryReservation": true, "networkMode": true, "runtime": true,
}

// simple are inputs that only change their name.
var simple = map[string]string{
	"name": "container_name", "hostname": "hostname", "user": "user", "workingDir": "working_dir", "init": "init",
	"privileged": "privileged", "readOnly": "read_only", "ipcMode": "ipc", "pidMode": "pid", "cgroupnsMode": "cgroup",
	"stopSignal": "stop_signal", "dns": "dns", "securityOpts": "security_opt", "restart": "restart", "groupAdds": "group_add", "sysctls": "sysctls",
}

// service renders one container. An input that has no rendering is an error: a file that silently
// lacks a setting is worse than none.
func (r *renderer) service(c deployment.Resource) (map[string]any, error) {
	name := text(c.Inputs["name"])
	out := map[string]any{}
	limits := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(c.Inputs)) {
		v := c.Inputs[key]
		if to, ok := simple[key]; ok {
			if p := deployment.Plain(v); p != false {
				out[to] = p
			}
			continue
		}
		switch key {
		case "image":
			id := text(v)
			ref, ok := r.images[id]
			if !ok {
				return nil, fmt.Errorf("no image of the stack has the id %s", id)
			}
			out["image"] = ref
		case "command":
			out["command"] = r.replaceAll(texts(v), name, "command")
		case "entrypoints":
			out["entrypoint"] = r.replaceAll(texts(v), name, "entrypoint")
		case "envs":
			out["environment"] = r.environment(texts(v), name)
		case "labels":
			out["labels"] = r.labels(v, name)
		case "memory":
			limits["memory"] = fmt.Sprintf("%dM", int(number(v)))
		case "memorySwap":
			out["memswap_limit"] = fmt.Sprintf("%dM", int(number(v)))
		case "cpus":
			limits["cpus"] = text(v)
		case "shmSize":
			out["shm_size"] = fmt.Sprintf("%dM", int(number(v)))
		case "stopTimeout":
			out["stop_grace_period"] = fmt.Sprintf("%ds", int(number(v)))
		case "logDriver":
			merge(out, "logging", "driver", text(v))
		case "logOpts":
			merge(out, "logging", "options", deployment.Plain(v))
		case "capabilities":
			capabilities(out, v)
		case "ulimits":
			out["ulimits"] = ulimits(v)
		case "tmpfs":
			out["tmpfs"] = tmpfs(v)
		case "ports":
			out["ports"] = ports(v)
		case "hosts":
			out["extra_hosts"] = hosts(v)
		case "healthcheck":
			out["healthcheck"] = healthcheck(v)
		case "networksAdvanced":
			out["networks"] = r.joined(v)
		case "volumes", "mounts", "uploads":
			// Together, below: files are mounted where their volume would be.
		default:
			if !skipped[key] {
				return nil, fmt.Errorf("the input %q has no Compose form here: add it to package compose", key)
			}
		}
	}
	if len(limits) > 0 {
		out["deploy"] = map[string]any{"resources": map[string]any{"limits": limits}}
	}
	if c.Inputs["networksAdvanced"] == nil && text(c.Inputs["networkMode"]) != "" && text(c.Inputs["networkMode"]) != "bridge" {
		out["network_mode"] = text(c.Inputs["networkMode"])
	}
	if err := r.storage(out, c, name); err != nil {
		return nil, err
	}
	if deps := r.dependsOn(c); len(deps) > 0 {
		out["depends_on"] = deps
	}
	return out, nil
}

func (r *renderer) storage(out map[string]any, c deployment.Resource, name string) error {
	if c.Inputs["mounts"] != nil {
		return fmt.Errorf("the input \"mounts\" has no Compose form here: use volumes")
	}
	var volumes, configs []any
	for _, v := range objects(c.Inputs["volumes"]) {
		target, source := text(v["containerPath"]), text(v["volumeName"])
		if files := r.uploads[source]; len(files) > 0 {
			for _, u := range files {
				configs = append(configs, r.config(name, target, u))
			}
			continue
		}
		mount := map[string]any{"type": "volume", "source": source, "target": target}
		if host := text(v["hostPath"]); host != "" {
			mount["type"], mount["source"] = "bind", host
		} else {
			r.usedVols[source] = true
		}
		if truth(v["readOnly"]) {
			mount["read_only"] = true
		}
		volumes = append(volumes, mount)
	}
	for _, u := range objects(c.Inputs["uploads"]) {
		file := text(u["file"])
		configs = append(configs, r.config(name, path.Dir(file), upload{path.Base(file), text(u["content"]), text(u["permissions"])}))
	}
	if len(volumes) > 0 {
		out["volumes"] = volumes
	}
	if len(configs) > 0 {
		out["configs"] = configs
	}
	return nil
}

func (r *renderer) replaceAll(in []string, service, where string) []string {
	out := make([]string, 0, len(in))
	for _, s := range in {
		out = append(out, r.vars.replace(s, service, where))
	}
	return out
}

func (r *renderer) environment(envs []string, service string) map[string]any {
	out := map[string]any{}
	for _, e := range envs {
		k, v, _ := strings.Cut(e, "=")
		out[k] = r.vars.replace(v, service, k)
	}
	return out
}

func (r *renderer) labels(v any, service string) map[string]any {
	out := map[string]any{}
	for _, l := range objects(v) {
		key := text(l["label"])
		if key == "morphee.files" {
			continue // the id of the container that carries the files: there is none here
		}
		out[key] = r.vars.replace(text(l["value"]), service, key)
	}
	return out
}

func (r *renderer) joined(v any) map[string]any {
	out := map[string]any{}
	for _, n := range objects(v) {
		name := text(n["name"])
		r.usedNets[name] = true
		one := map[string]any{}
		if aliases := texts(n["aliases"]); len(aliases) > 0 {
			one["aliases"] = aliases
		}
		if ip := text(n["ipv4Address"]); ip != "" {
			one["ipv4_address"] = ip
		}
		out[name] = one
	}
	return out
}

// dependsOn finds the containers that this one waits for, directly or through something that is no
// container itself.
func (r *renderer) dependsOn(c deployment.Resource) map[string]any {
	out := map[string]any{}
	seen := map[string]bool{}
	var walk func(urn string)
	walk = func(urn string) {
		if seen[urn] {
			return
		}
		seen[urn] = true
		res, ok := r.byURN[urn]
		if !ok {
			return
		}
		if res.Type == containerType && truth(res.Inputs["start"]) {
			condition := "service_started"
			if res.Inputs["healthcheck"] != nil {
				condition = "service_healthy"
			}
			if !truth(res.Inputs["mustRun"]) {
				condition = "service_completed_successfully"
			}
			out[text(res.Inputs["name"])] = map[string]any{"condition": condition}
			return
		}
		for _, d := range res.Dependencies {
			walk(d)
		}
	}
	for _, d := range c.Dependencies {
		walk(d)
	}
	return out
}

func merge(out map[string]any, key, field string, v any) {
	m, ok := out[key].(map[string]any)
	if !ok {
		m = map[string]any{}
		out[key] = m
	}
	m[field] = v
}

func capabilities(out map[string]any, v any) {
	m, _ := v.(map[string]any)
	if drops := texts(m["drops"]); len(drops) > 0 {
		out["cap_drop"] = drops
	}
	if adds := texts(m["adds"]); len(adds) > 0 {
		out["cap_add"] = adds
	}
}

func ulimits(v any) map[string]any {
	out := map[string]any{}
	for _, u := range objects(v) {
		out[text(u["name"])] = map[string]any{"soft": int(number(u["soft"])), "hard": int(number(u["hard"]))}
	}
	return out
}

func tmpfs(v any) []string {
	m, _ := deployment.Plain(v).(map[string]any)
	var out []string
	for _, p := range slices.Sorted(maps.Keys(m)) {
		out = append(out, strings.TrimSuffix(p+":"+text(m[p]), ":"))
	}
	return out
}

func ports(v any) []any {
	var out []any
	for _, p := range objects(v) {
		one := map[string]any{"target": int(number(p["internal"])), "published": fmt.Sprint(int(number(p["external"]))), "mode": "host"}
		if proto := text(p["protocol"]); proto != "" {
			one["protocol"] = proto
		}
		if ip := text(p["ip"]); ip != "" {
			one["host_ip"] = ip
		}
		out = append(out, one)
	}
	return out
}

func hosts(v any) []string {
	var out []string
	for _, h := range objects(v) {
		out = append(out, text(h["host"])+":"+text(h["ip"]))
	}
	return out
}

func healthcheck(v any) map[string]any {
	m, _ := v.(map[string]any)
	out := map[string]any{"test": escapeAll(texts(m["tests"]))}
	for from, to := range map[string]string{"interval": "interval", "timeout": "timeout", "startPeriod": "start_period"} {
		if s := text(m[from]); s != "" && s != "0s" {
			out[to] = s
		}
	}
	if n := number(m["retries"]); n > 0 {
		out["retries"] = int(n)
	}
	return out
}

func escapeAll(in []string) []string {
	out := make([]string, 0, len(in))
	for _, s := range in {
		out = append(out, escape(s))
	}
	return out
}
