package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
)

// Route makes the proxy serve a container under a public name, by labels that the proxy reads.
type Route struct {
	// Name of the router and the service in Traefik; unique on the host.
	Name string
	// Host is the public name.
	Host string
	// Port that the container listens on.
	Port int
	// Shared says that several containers serve the route together. A browser stays with one of
	// them by a cookie, and one that does not answer HealthPath gets nothing.
	Shared bool
	// HealthPath answers 200 when a container of a shared route can serve.
	HealthPath string
	// Rule narrows the route to some of the host's requests, in the syntax of Traefik 3; default all.
	Rule string
	// Priority over other routes of the same host, more first; default the length of the rule.
	Priority int
}

// rule is what the proxy matches requests with.
func (r *Route) rule() string {
	host := fmt.Sprintf("Host(`%s`)", r.Host)
	if r.Rule == "" {
		return host
	}
	return fmt.Sprintf("%s && (%s)", host, r.Rule)
}

// sharedPriority puts a shared route before a container's route of its own for the same name, as
// there is one while their number goes from one to two or back. It is above any rule's length.
const sharedPriority = "1000"

// securityHeaders are sent with every answer, in both proxy modes. Frames stay possible from the
// same origin; everything else a browser is told to refuse.
var securityHeaders = map[string]string{
	"stsseconds":              "31536000",
	"stsincludesubdomains":    "true",
	"contenttypenosniff":      "true",
	"customframeoptionsvalue": "SAMEORIGIN",
	"referrerpolicy":          "strict-origin-when-cross-origin",
	"permissionspolicy":       "camera=(self), microphone=(self), geolocation=()",
}

// entrypoint names and the certificate resolver of the two proxies. Coolify's are its defaults.
func (p *Platform) proxyNames() (https, http, resolver string) {
	if p.proxy == ProxyCoolify {
		return "https", "http", certificateResolver
	}
	return "websecure", "web", certificateResolver
}

// routesLabels are the labels that publish all of them.
func (p *Platform) routesLabels(routes []*Route) map[string]string {
	m := map[string]string{}
	for _, r := range routes {
		maps.Copy(m, p.routeLabels(r))
	}
	return m
}

// routeLabels are the labels that publish r; none for nil.
func (p *Platform) routeLabels(r *Route) map[string]string {
	if r == nil {
		return nil
	}
	if !r.Shared {
		return p.ownLabels(r)
	}
	// Containers that say different things of one router take it down, for both. While they are
	// replaced one at a time they would, so the name goes with what is said.
	one := *r
	one.Name = r.Name + "-" + digest(p.sharedLabels(&one))
	return p.sharedLabels(&one)
}

// sharedLabels publish a route that several containers serve.
func (p *Platform) sharedLabels(r *Route) map[string]string {
	m := p.ownLabels(r)
	router, service := "traefik.http.routers."+r.Name, "traefik.http.services."+r.Name+".loadbalancer"
	retry := r.Name + "-retry"
	for k, v := range map[string]string{
		router + ".priority":    sharedPriority,
		router + ".middlewares": r.Name + "-headers," + retry,
		// Only what no container has taken yet is tried again: nothing is done twice. A visitor with the
		// cookie gets the same container every time, until the check below has failed, 3 s at the latest.
		// The waits between six attempts grow from 1 s to 2 s and are up to half shorter by chance: 3.4 s
		// together at the least.
		"traefik.http.middlewares." + retry + ".retry.attempts":        "6",
		"traefik.http.middlewares." + retry + ".retry.initialinterval": "1s",

		service + ".sticky.cookie":          "true",
		service + ".sticky.cookie.name":     "morphee_replica",
		service + ".sticky.cookie.secure":   "true",
		service + ".sticky.cookie.httponly": "true",
		// The pages and the API are one site to a browser.
		service + ".sticky.cookie.samesite": "lax",
		// A container that is stopping closes its door first: its visitors move on within 3 s.
		service + ".healthcheck.path":     r.HealthPath,
		service + ".healthcheck.interval": "2s",
		service + ".healthcheck.timeout":  "1s",
	} {
		m[k] = v
	}
	return m
}

// digest is short, and other for other labels.
func digest(labels map[string]string) string {
	h := sha256.New()
	for _, k := range sortedKeys(labels) {
		fmt.Fprintf(h, "%s=%s\n", k, labels[k])
	}
	return hex.EncodeToString(h.Sum(nil))[:8]
}

// ownLabels publish a route that one container serves.
func (p *Platform) ownLabels(r *Route) map[string]string {
	https, http, resolver := p.proxyNames()
	router := "traefik.http.routers." + r.Name
	headers := r.Name + "-headers"
	m := map[string]string{
		"traefik.enable":             "true",
		"traefik.docker.network":     p.edgeName,
		router + ".rule":             r.rule(),
		router + ".entrypoints":      https,
		router + ".tls":              "true",
		router + ".tls.certresolver": resolver,
		router + ".service":          r.Name,
		router + ".middlewares":      headers,
		"traefik.http.services." + r.Name + ".loadbalancer.server.port": strconv.Itoa(r.Port),
	}
	for k, v := range securityHeaders {
		m["traefik.http.middlewares."+headers+".headers."+k] = v
	}
	if p.proxy == ProxyCoolify {
		// Our own Traefik redirects at the entry point; Coolify's leaves it to each service.
		redirect := r.Name + "-https"
		m[router+"-http.rule"] = r.rule()
		m[router+"-http.entrypoints"] = http
		m[router+"-http.service"] = r.Name
		m[router+"-http.middlewares"] = redirect
		m["traefik.http.middlewares."+redirect+".redirectscheme.scheme"] = "https"
		m["traefik.http.middlewares."+redirect+".redirectscheme.permanent"] = "true"
	}
	if r.Priority > 0 {
		m[router+".priority"] = strconv.Itoa(r.Priority)
		if p.proxy == ProxyCoolify {
			m[router+"-http.priority"] = strconv.Itoa(r.Priority)
		}
	}
	return m
}
