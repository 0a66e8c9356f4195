package serving

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// router is one of Traefik's, as the labels of containers make it.
type router struct {
	name, rule string
	entries    []string // none is every entry point
	priority   int
	service    string
	clash      bool // containers say different things of it: Traefik drops it
	behind     []*cloud.Resource
	port       int
}

func (r *router) urns() (out []string) {
	for _, c := range r.behind {
		out = append(out, c.URN)
	}
	return out
}

func (r *router) names() (out []string) {
	for _, c := range r.behind {
		out = append(out, named(c))
	}
	return out
}

// route finds the router that takes a request, with the containers behind it.
func (p proxy) route(v *view) (*router, string) {
	var reasons []string
	routers := map[string]*router{}
	for _, c := range p.hosted {
		labels := labelsOf(c)
		if labels["traefik.enable"] != "true" {
			continue
		}
		if why := away(c); why != "" {
			if strings.Contains(strings.Join(slices.Collect(maps.Values(labels)), " "), v.host) {
				reasons = append(reasons, why)
			}
			continue
		}
		for _, name := range routersOf(labels) {
			one := newRouter(name, c, labels)
			if other := routers[name]; other != nil {
				other.clash = other.clash || other.rule != one.rule || other.priority != one.priority || other.service != one.service
			} else {
				routers[name] = one
			}
		}
	}
	best, why := pick(slices.Collect(maps.Values(routers)), p.entry, v)
	if why != "" {
		return nil, strings.Join(append([]string{why}, reasons...), "; ")
	}
	if why := p.connect(best); why != "" {
		return nil, why
	}
	return best, ""
}

func labelsOf(c *cloud.Resource) map[string]string {
	out := map[string]string{}
	for _, l := range c.Out.Objects("labels") {
		out[l.String("label")] = l.String("value")
	}
	return out
}

const routerPrefix = "traefik.http.routers."

func routersOf(labels map[string]string) []string {
	var out []string
	for key := range labels {
		if name, _, ok := strings.Cut(strings.TrimPrefix(key, routerPrefix), "."); ok && strings.HasPrefix(key, routerPrefix) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func newRouter(name string, c *cloud.Resource, labels map[string]string) *router {
	get := func(key string) string { return labels[routerPrefix+name+"."+key] }
	r := &router{name: name, rule: get("rule"), service: get("service")}
	if list := get("entrypoints"); list != "" {
		r.entries = strings.Split(list, ",")
	}
	r.priority, _ = strconv.Atoi(get("priority"))
	if r.priority == 0 {
		r.priority = len(r.rule)
	}
	if r.service == "" {
		r.service = c.Out.String("name")
	}
	return r
}

// pick is the router of the highest priority whose rule fits the request.
func pick(all []*router, entry string, v *view) (*router, string) {
	slices.SortFunc(all, func(a, b *router) int {
		return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.name, b.name))
	})
	clashing := ""
	for _, r := range all {
		if len(r.entries) > 0 && !slices.Contains(r.entries, entry) {
			continue
		}
		fits, err := matches(r.rule, v)
		switch {
		case err != nil:
			return nil, fmt.Sprintf("the rule of router %s cannot be followed: %v", r.name, err)
		case fits && r.clash:
			clashing = "; containers contradict each other about router " + r.name
		case fits:
			return r, ""
		}
	}
	return nil, "no container on the server takes requests for " + v.host + clashing
}

// connect finds the containers of a router's service that the proxy reaches.
func (p proxy) connect(r *router) string {
	apart := ""
	for _, c := range p.hosted {
		labels := labelsOf(c)
		port := labels["traefik.http.services."+r.service+".loadbalancer.server.port"]
		if port == "" || labels["traefik.enable"] != "true" || away(c) != "" {
			continue
		}
		over := cmp.Or(labels["traefik.docker.network"], p.network)
		if !slices.Contains(networksOf(c), over) || !slices.Contains(p.networks, over) {
			apart = fmt.Sprintf("%s and container %s are not both on the network %s", p.name, named(c), over)
			continue
		}
		r.port, _ = strconv.Atoi(port)
		r.behind = append(r.behind, c)
	}
	if len(r.behind) == 0 {
		return cmp.Or(apart, "no container is behind router "+r.name)
	}
	return ""
}
