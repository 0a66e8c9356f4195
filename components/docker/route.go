package docker

import (
	"fmt"
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
}

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

// routeLabels are the labels that publish r; none for nil.
func (p *Platform) routeLabels(r *Route) map[string]string {
	if r == nil {
		return nil
	}
	https, http, resolver := p.proxyNames()
	router := "traefik.http.routers." + r.Name
	headers := r.Name + "-headers"
	m := map[string]string{
		"traefik.enable":             "true",
		"traefik.docker.network":     p.edgeName,
		router + ".rule":             fmt.Sprintf("Host(`%s`)", r.Host),
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
		m[router+"-http.rule"] = fmt.Sprintf("Host(`%s`)", r.Host)
		m[router+"-http.entrypoints"] = http
		m[router+"-http.service"] = r.Name
		m[router+"-http.middlewares"] = redirect
		m["traefik.http.middlewares."+redirect+".redirectscheme.scheme"] = "https"
		m["traefik.http.middlewares."+redirect+".redirectscheme.permanent"] = "true"
	}
	return m
}
