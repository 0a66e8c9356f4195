package serving

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/reach"
	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// A container whose files are an Nginx's configuration may hand requests on, or refuse them.

var (
	nginxServer   = regexp.MustCompile(`(?m)^\s*server \{`)
	nginxName     = regexp.MustCompile(`(?m)^\s*server_name ([^;]+);`)
	nginxUpstream = regexp.MustCompile(`(?m)^\s*set \$upstream ([^;\s]+);`)
	nginxReturn   = regexp.MustCompile(`(?m)^\s*return ([45]\d\d)\b`)
)

// nginx is the configuration among a container's files; "" when there is none. The files are brought by
// another container, whose id is in a label.
func (v *view) nginx(c *cloud.Resource) string {
	loader := v.world.Find(c.Scope, containerType, labelsOf(c)["morphee.files"])
	if loader == nil {
		return ""
	}
	for _, f := range loader.Out.Objects("uploads") {
		if strings.HasSuffix(f.String("file"), "/nginx.conf") {
			return f.String("content")
		}
	}
	return ""
}

// nginxBlock is the server block of a configuration that answers for a host on a port.
func nginxBlock(config, host string, port int) string {
	starts := nginxServer.FindAllStringIndex(config, -1)
	fallback := ""
	for i, at := range starts {
		end := len(config)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		block := config[at[0]:end]
		if !strings.Contains(block, fmt.Sprintf("listen %d", port)) {
			continue
		}
		if m := nginxName.FindStringSubmatch(block); m != nil && m[1] == host {
			return block
		}
		if strings.Contains(block, "default_server") {
			fallback = block
		}
	}
	return fallback
}

// behindRouter ends the way at a router's containers, or goes on where they hand requests on.
func (v *view) behindRouter(r *router, place string, y way) []Target {
	config := v.nginx(r.behind[0])
	if config == "" {
		return []Target{y.end(Server, place)}
	}
	block := nginxBlock(config, v.host, r.port)
	if m := nginxUpstream.FindStringSubmatch(block); m != nil {
		// The relay asks for IPv4 addresses only, whatever brought the client.
		on := *v
		on.family = reach.IPv4
		y.via = place
		return on.follow(m[1], y.to("relayed to "+m[1]))
	}
	if m := nginxReturn.FindStringSubmatch(block); m != nil {
		return y.dead(Server, place, "%s answers %s", named(r.behind[0]), m[1])
	}
	return y.dead(Server, place, "the configuration of %s says nothing of %s", named(r.behind[0]), v.host)
}
