// Package docker is what the simulator knows of a Docker daemon beyond the schema: what is unique on
// a host, what must be there before a container can use it, what is refused while in use.
//
// Everything lives on the host that the provider is configured for. A host whose address belongs to
// no simulated server cannot be reached, apart from those no simulation can know of (see hcloud.Reach).
package docker

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/hcloud"
)

// The types with rules of their own.
const (
	containerType     = "docker:index/container:Container"
	imageType         = "docker:index/image:Image"
	networkType       = "docker:index/network:Network"
	registryImageType = "docker:index/registryImage:RegistryImage"
	remoteImageType   = "docker:index/remoteImage:RemoteImage"
	tagType           = "docker:index/tag:Tag"
	volumeType        = "docker:index/volume:Volume"
)

// Package is the simulated docker provider.
func Package() cloud.Package {
	return cloud.Package{
		Name:        "docker",
		Types:       []cloud.Type{container(), image(), network(), registryImage(), remoteImage(), tag(), volume()},
		Scope:       scope,
		CheckConfig: checkConfig,
		Functions:   functions(),
		Takes:       cloud.Durations{Create: time.Second, Update: time.Second, Delete: time.Second},
	}
}

// endpoint is where a provider finds its daemon.
type endpoint struct {
	raw, scheme, host string
	port              int
}

var ports = map[string]int{"ssh": 22, "tcp": 2375, "http": 2375, "https": 2376}

// parseHost reads the provider's host. Without one it is the local daemon.
func parseHost(raw string) (endpoint, bool) {
	if raw == "" {
		return endpoint{raw: "unix:///var/run/docker.sock", scheme: "unix"}, true
	}
	u, err := url.Parse(raw)
	if err != nil {
		return endpoint{}, false
	}
	e := endpoint{raw: raw, scheme: u.Scheme, host: u.Hostname(), port: ports[u.Scheme]}
	if p := u.Port(); p != "" {
		e.port, err = strconv.Atoi(p)
	}
	switch u.Scheme {
	case "unix", "npipe":
		return e, u.Path != ""
	case "ssh":
		return e, err == nil && e.host != "" && (u.Path == "" || u.Path == "/")
	case "tcp", "http", "https":
		return e, err == nil && e.host != ""
	}
	return e, false
}

// scope is the daemon's machine: the same one, whoever logs in to it.
func scope(config cloud.Object) string {
	if e, ok := parseHost(config.String("host")); ok && e.host != "" {
		return "host " + strings.ToLower(e.host)
	}
	return "host local"
}

func checkConfig(c *cloud.CheckCall) {
	if !c.In.Known("host") {
		return
	}
	if _, ok := parseHost(c.In.String("host")); !ok {
		c.Fail("host", "unable to parse docker host %q: write ssh://user@address, ssh://user@address:port, tcp://address:2376 or unix:///var/run/docker.sock", c.In.String("host"))
	}
}

// daemon refuses when the provider cannot reach its daemon. The machine is nil when it is none of the
// simulated servers.
func daemon(c *cloud.Call) (*hcloud.Host, error) {
	e, _ := parseHost(c.Config.String("host"))
	if e.host == "" {
		return nil, nil
	}
	h, err := hcloud.Reach(c.World, e.host, e.port)
	if err != nil {
		return nil, cloud.Refuse("", "Cannot connect to the Docker daemon at %s. Is the docker daemon running? %v", e.raw, err)
	}
	return h, nil
}

// reachable is the Delete of types without rules of their own.
func reachable(c *cloud.Call) error {
	_, err := daemon(c)
	return err
}

var (
	objectName  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`)
	networkName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)
)

// fill gives an output that the program left open its value.
func fill(c *cloud.Call, property string, v any) {
	if c.In[property] == nil {
		c.Out[property] = cloud.Plain(v)
	}
}

// hexID is an id as Docker makes them.
func hexID(c *cloud.Call) string { return c.Gen.Hex("id", 64) }

// users are the containers of this host for which the function is true.
func users(c *cloud.Call, uses func(o cloud.Object) bool) []*cloud.Resource {
	var out []*cloud.Resource
	for _, r := range c.All(containerType) {
		if uses(r.Out) {
			out = append(out, r)
		}
	}
	return out
}
