// Package compose renders the containers of a deployment as a Docker Compose file.
package compose

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/morphee-app/morphee-infra/internal/deployment"
)

// Types of the Docker provider that are rendered.
const (
	containerType = "docker:index/container:Container"
	imageType     = "docker:index/remoteImage:RemoteImage"
	networkType   = "docker:index/network:Network"
	volumeType    = "docker:index/volume:Volume"
)

// File is a rendered Compose file.
type File struct {
	YAML      []byte
	Variables []Variable // what has to be set for it, by name
}

// Variable stands in the file for a secret.
type Variable struct {
	Name  string `json:"name"`
	About string `json:"about"` // where the secret comes from and who uses it
}

// Render writes the containers of a deployment, which must be exported with plaintext secrets: they
// are needed to know where each of them is used, and every one of them is replaced by a variable.
// configured are the secrets of the configuration, by their key.
func Render(name string, resources []deployment.Resource, configured map[string]string) (*File, error) {
	r := &renderer{images: map[string]string{}, uploads: map[string][]upload{}, vars: newVariables(resources, configured)}
	host, others := Host(resources)
	for _, res := range resources {
		if strings.HasPrefix(res.Type, "docker:") && host != "" && res.Provider != host {
			continue // another host's: one file is for one host
		}
		r.index(res)
	}
	if len(r.containers) == 0 {
		return nil, fmt.Errorf("stack %s has no containers: only a stack with a server of its own runs on Docker", name)
	}
	doc := map[string]any{"name": name}
	services := map[string]any{}
	for _, c := range r.containers {
		service, err := r.service(c)
		if err != nil {
			return nil, fmt.Errorf("container %s: %w", c.Name, err)
		}
		services[text(c.Inputs["name"])] = service
	}
	doc["services"] = services
	doc["networks"] = r.networks()
	doc["volumes"] = r.volumes()
	if len(r.configs) > 0 {
		doc["configs"] = r.configs
	}
	var body bytes.Buffer
	enc := yaml.NewEncoder(&body)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	file := &File{YAML: body.Bytes(), Variables: r.vars.used()}
	if err := r.vars.leaks(file.YAML); err != nil {
		return nil, err
	}
	file.YAML = append(header(name, others, file.Variables), file.YAML...)
	return file, nil
}

// Host is the provider of the Docker host that has most of the containers, and how many other hosts
// there are. A Compose file is for that host.
func Host(resources []deployment.Resource) (provider string, others int) {
	count := map[string]int{}
	for _, r := range resources {
		if r.Type == containerType {
			count[r.Provider]++
		}
	}
	for _, p := range slices.Sorted(maps.Keys(count)) {
		if count[p] > count[provider] {
			provider = p
		}
	}
	return provider, max(0, len(count)-1)
}

func header(name string, others int, vars []Variable) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Stack %s as a Docker Compose file (Compose 2.23.1 or newer).\n", name)
	if others > 0 {
		fmt.Fprintf(&b, "# Only its main host: the containers of %d more are not in this file.\n", others)
	}
	fmt.Fprintf(&b, "# Rendered by `infra compose`; change the stack's configuration instead of this file.\n")
	fmt.Fprintf(&b, "# Set these variables, in Coolify as environment variables of the resource:\n")
	for _, v := range vars {
		fmt.Fprintf(&b, "#   %s: %s\n", v.Name, v.About)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

type upload struct{ file, content, mode string }

type renderer struct {
	containers []deployment.Resource
	nets, vols []deployment.Resource
	byURN      map[string]deployment.Resource
	images     map[string]string   // image id or digest to its reference
	uploads    map[string][]upload // files by the name of the volume that carries them
	configs    map[string]any
	usedNets   map[string]bool
	usedVols   map[string]bool
	vars       *variables
}

func (r *renderer) index(res deployment.Resource) {
	if r.byURN == nil {
		r.byURN, r.configs = map[string]deployment.Resource{}, map[string]any{}
		r.usedNets, r.usedVols = map[string]bool{}, map[string]bool{}
	}
	r.byURN[res.URN] = res
	switch res.Type {
	case imageType:
		ref := text(res.Inputs["name"])
		for _, key := range []string{"imageId", "repoDigest", "latest"} {
			if id := text(res.Outputs[key]); id != "" {
				r.images[id] = ref
			}
		}
		r.images[res.ID] = ref
	case networkType:
		r.nets = append(r.nets, res)
	case volumeType:
		r.vols = append(r.vols, res)
	case containerType:
		// A container that is never started only carries files into a volume. Compose has configs for that.
		if start, ok := res.Inputs["start"].(bool); ok && !start {
			r.carry(res)
			return
		}
		r.containers = append(r.containers, res)
	}
}

// carry notes the files that a loader container writes into a volume.
func (r *renderer) carry(loader deployment.Resource) {
	for _, v := range objects(loader.Inputs["volumes"]) {
		dir, volume := text(v["containerPath"]), text(v["volumeName"])
		for _, u := range objects(loader.Inputs["uploads"]) {
			if rel, ok := strings.CutPrefix(text(u["file"]), strings.TrimSuffix(dir, "/")+"/"); ok {
				r.uploads[volume] = append(r.uploads[volume], upload{rel, text(u["content"]), text(u["permissions"])})
			}
		}
	}
}

func (r *renderer) networks() map[string]any {
	out := map[string]any{}
	declared := map[string]deployment.Resource{}
	for _, n := range r.nets {
		declared[text(n.Inputs["name"])] = n
	}
	for _, name := range slices.Sorted(maps.Keys(r.usedNets)) {
		n, ok := declared[name]
		if !ok {
			out[name] = map[string]any{"external": true}
			continue
		}
		one := map[string]any{"name": name}
		if truth(n.Inputs["internal"]) {
			one["internal"] = true
		}
		if d := text(n.Inputs["driver"]); d != "" {
			one["driver"] = d
		}
		if opts, _ := n.Inputs["options"].(map[string]any); len(opts) > 0 {
			one["driver_opts"] = opts
		}
		var pools []any
		for _, pool := range objects(n.Inputs["ipamConfigs"]) {
			p := map[string]any{}
			for from, to := range map[string]string{"subnet": "subnet", "gateway": "gateway", "ipRange": "ip_range"} {
				if s := text(pool[from]); s != "" {
					p[to] = s
				}
			}
			pools = append(pools, p)
		}
		if len(pools) > 0 {
			one["ipam"] = map[string]any{"config": pools}
		}
		out[name] = one
	}
	return out
}

func (r *renderer) volumes() map[string]any {
	out := map[string]any{}
	for _, v := range r.vols {
		if name := text(v.Inputs["name"]); r.usedVols[name] {
			out[name] = map[string]any{"name": name}
		}
	}
	return out
}

// config declares a file and returns the reference to it.
func (r *renderer) config(service, dir string, u upload) map[string]any {
	key := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '_'
	}, service+"_"+u.file)
	r.configs[key] = map[string]any{"content": r.vars.replace(u.content, service, u.file)}
	ref := map[string]any{"source": key, "target": path.Join(dir, u.file)}
	if u.mode != "" {
		ref["mode"] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "0" + strings.TrimLeft(u.mode, "0")}
	}
	return ref
}

func text(v any) string {
	switch v := v.(type) {
	case deployment.Secret:
		return text(v.Value)
	case string:
		return v
	case float64:
		return fmt.Sprint(v)
	}
	return ""
}

func truth(v any) bool { b, _ := v.(bool); return b }

func number(v any) float64 { n, _ := v.(float64); return n }

func texts(v any) []string {
	var out []string
	list, _ := deployment.Plain(v).([]any)
	for _, e := range list {
		out = append(out, text(e))
	}
	return out
}

func objects(v any) []map[string]any {
	var out []map[string]any
	if s, ok := v.(deployment.Secret); ok {
		v = s.Value
	}
	list, _ := v.([]any)
	for _, e := range list {
		if s, ok := e.(deployment.Secret); ok {
			e = s.Value
		}
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
