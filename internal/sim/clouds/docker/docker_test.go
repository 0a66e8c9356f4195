package docker_test

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/docker"
	"github.com/morphee-app/morphee-infra/internal/sim/clouds/hcloud"
	"github.com/morphee-app/morphee-infra/internal/sim/simtest"
)

type props = simtest.Props

const (
	container     = "docker:index/container:Container"
	image         = "docker:index/image:Image"
	network       = "docker:index/network:Network"
	registryImage = "docker:index/registryImage:RegistryImage"
	remoteImage   = "docker:index/remoteImage:RemoteImage"
	tag           = "docker:index/tag:Tag"
	volume        = "docker:index/volume:Volume"
	server        = "hcloud:index/server:Server"
	firewall      = "hcloud:index/firewall:Firewall"
)

func with(base, more props) props { return simtest.Merge(base, more) }

// start returns a simulator whose Docker provider acts on a new server with 4 processors.
func start(t *testing.T) (*simtest.Sim, *cloud.Resource) {
	t.Helper()
	s := simtest.New(t, hcloud.Package(), docker.Package())
	host := s.Must(server, "host", props{"name": "host", "serverType": "cpx32", "image": "ubuntu-24.04", "location": "nbg1"})
	return s.With("docker", props{"host": "ssh://deploy@" + host.Out.String("ipv4Address")}), host
}

func box(more props) props { return with(props{"name": "box", "image": "redis:7.4"}, more) }

func list(p ...props) []any {
	out := []any{}
	for _, e := range p {
		out = append(out, e)
	}
	return out
}

// Every line is refused as it is and accepted with the correction in good.
func TestRefusals(t *testing.T) {
	mount := func(p props) props { return box(props{"volumes": list(p)}) }
	port := func(p props) props { return box(props{"ports": list(p)}) }
	tests := []struct {
		rule, token string
		bad, good   props
		want        string
	}{
		{"container name alphabet", container, box(props{"name": "b/x"}), props{"name": "b-x"}, "Invalid container name"},
		{"container name unique", container, box(props{"name": "first"}), props{"name": "second"}, `The container name "/first" is already in use`},
		{"image reference", container, box(props{"image": "Redis:7"}), props{"image": "redis:7"}, "invalid reference format"},
		{"image id is there", container, box(props{"image": "sha256:" + strings.Repeat("a", 64)}), props{"image": "redis:7"}, "unable to find or pull image"},
		{"least memory", container, box(props{"memory": 5}), props{"memory": 6}, "Minimum memory limit allowed is 6MB"},
		{"swap is more than memory", container, box(props{"memory": 64, "memorySwap": 32}), props{"memorySwap": 64}, "Minimum memoryswap limit"},
		{"swap needs memory", container, box(props{"memorySwap": 32}), props{"memory": 32}, "always set the Memory limit"},
		{"reservation is less than memory", container, box(props{"memory": 64, "memoryReservation": 65}), props{"memoryReservation": 64}, "memory reservation limit"},
		{"processors of the host", container, box(props{"cpus": "4.5"}), props{"cpus": "4"}, "range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available"},
		{"least processors", container, box(props{"cpus": "0.001"}), props{"cpus": "0.01"}, "range of CPUs"},
		{"processors are a number", container, box(props{"cpus": "half"}), props{"cpus": "0.5"}, "a number of processors"},
		{"restart policy", container, box(props{"restart": "sometimes"}), props{"restart": "unless-stopped"}, "expected one of no, on-failure"},
		{"retries only on failure", container, box(props{"restart": "always", "maxRetryCount": 3}), props{"restart": "on-failure"}, "can only be used with 'on-failure'"},
		{"no automatic removal with a restart policy", container, box(props{"rm": true, "restart": "always"}), props{"restart": "no"}, "AutoRemove"},
		{"healthcheck duration", container, health(props{"interval": "30"}), health(props{"interval": "30s"}), "is not a valid duration"},
		{"healthcheck least duration", container, health(props{"interval": "10us"}), health(props{"interval": "1ms"}), "less than 1ms"},
		{"healthcheck form", container, health(props{"tests": []string{"curl", "x"}}), health(props{"tests": []string{"CMD", "x"}}), "expected NONE, CMD or CMD-SHELL"},
		{"healthcheck has a command", container, health(props{"tests": []string{"CMD"}}), health(props{"tests": []string{"NONE"}}), "without a command"},
		{"healthcheck retries", container, health(props{"retries": -1}), health(props{"retries": 3}), "must not be negative"},
		{"waiting needs a healthcheck", container, box(props{"wait": true}), health(nil), "needs a healthcheck"},
		{"waiting needs a real healthcheck", container, with(health(props{"tests": []string{"NONE"}}), props{"wait": true}), health(nil), "never is"},
		{"what must run is started", container, box(props{"start": false}), props{"mustRun": false}, "failed to be in running state"},
		{"what runs once need not run", container, box(props{"attach": true}), props{"mustRun": false}, "failed to be in running state"},
		{"empty command", container, box(props{"command": []string{"a", ""}}), props{"command": []string{"a"}}, "may not be empty"},
		{"capability", container, box(props{"capabilities": props{"adds": []string{"FLY"}}}), props{"capabilities": props{"adds": []string{"CAP_CHOWN"}, "drops": []string{"ALL"}}}, `unknown capability: "FLY"`},
		{"environment", container, box(props{"envs": []string{"=x"}}), props{"envs": []string{"A=x"}}, "invalid environment variable"},
		{"ulimit", container, box(props{"ulimits": list(props{"name": "nproc", "soft": 9, "hard": 8})}), props{"ulimits": list(props{"name": "nproc", "soft": 8, "hard": 8})}, "soft limit of nproc"},
		{"security option", container, box(props{"securityOpts": []string{"be-safe"}}), props{"securityOpts": []string{"no-new-privileges:true"}}, "--security-opt"},

		{"volume is there", container, mount(props{"volumeName": "nothing", "containerPath": "/d"}), mount(props{"volumeName": "data", "containerPath": "/d"}), `volume "nothing" is not on this host`},
		{"mounted volume is there", container, box(props{"mounts": list(props{"type": "volume", "source": "nothing", "target": "/d"})}), props{"mounts": list(props{"type": "volume", "source": "data", "target": "/d"})}, "is not on this host"},
		{"mount path is absolute", container, mount(props{"volumeName": "data", "containerPath": "d"}), mount(props{"volumeName": "data", "containerPath": "/d"}), "mount path must be absolute"},
		{"mount path is not the root", container, mount(props{"volumeName": "data", "containerPath": "/"}), mount(props{"volumeName": "data", "containerPath": "/d"}), "destination can't be '/'"},
		{"mount points are apart", container, with(mount(props{"volumeName": "data", "containerPath": "/d"}), props{"tmpfs": props{"/d/": "size=1m"}}), props{"tmpfs": props{"/e": "size=1m"}}, "Duplicate mount point: /d"},
		{"host path is absolute", container, mount(props{"hostPath": "d", "containerPath": "/d"}), mount(props{"hostPath": "/d", "containerPath": "/d"}), "must be an absolute path"},
		{"bind source is absolute", container, box(props{"mounts": list(props{"type": "bind", "source": "d", "target": "/d"})}), props{"mounts": list(props{"type": "bind", "source": "/d", "target": "/d"})}, "mount path must be absolute"},
		{"tmpfs has no source", container, box(props{"mounts": list(props{"type": "tmpfs", "source": "d", "target": "/d"})}), props{"mounts": list(props{"type": "tmpfs", "target": "/d"})}, "Source must not be specified"},
		{"mount type", container, box(props{"mounts": list(props{"type": "nfs", "target": "/d"})}), props{"mounts": list(props{"type": "tmpfs", "target": "/d"})}, "expected one of bind, volume, tmpfs"},
		{"volumes from a container", container, mount(props{"fromContainer": "nobody"}), mount(props{"fromContainer": "first"}), "No such container"},
		{"read-only root takes no files", container, box(props{"readOnly": true, "uploads": list(props{"file": "/etc/a", "content": "b"})}), props{"readOnly": false}, "container rootfs is marked read-only"},
		{"read-only root takes no files into volumes either", container, with(mount(props{"volumeName": "data", "containerPath": "/d"}), props{"readOnly": true, "uploads": list(props{"file": "/d/a", "content": "b"})}), props{"readOnly": nil}, "container rootfs is marked read-only"},
		{"read-only volume takes no files", container, with(mount(props{"volumeName": "data", "containerPath": "/d", "readOnly": true}), props{"uploads": list(props{"file": "/d/a", "content": "b"})}), props{"uploads": list(props{"file": "/e/a", "content": "b"})}, "mounted volume is marked read-only"},
		{"upload has one content", container, box(props{"uploads": list(props{"file": "/a", "content": "b", "source": "c"})}), props{"uploads": list(props{"file": "/a", "content": "b"})}, "exactly one of content"},

		{"port is free", container, port(props{"internal": 80, "external": 8080}), port(props{"internal": 80, "external": 8081}), "Bind for 0.0.0.0:8080 failed: port is already allocated"},
		{"port is free on one address", container, port(props{"internal": 80, "external": 8080, "ip": "127.0.0.1"}), port(props{"internal": 80, "external": 8080, "ip": "::1"}), "port is already allocated"},
		{"port is free of its protocol", container, port(props{"internal": 80, "external": 8080, "protocol": "tcp"}), port(props{"internal": 80, "external": 8080, "protocol": "udp"}), "port is already allocated"},
		{"port of the SSH server", container, port(props{"internal": 22, "external": 22}), port(props{"internal": 22, "external": 2222}), "the host's SSH server"},
		{"port only once", container, box(props{"ports": list(props{"internal": 1, "external": 81}, props{"internal": 2, "external": 81})}), port(props{"internal": 1, "external": 81}), "this container itself"},
		{"ports of what is not started", container, port(props{"internal": 80, "external": 8080}), props{"start": false, "mustRun": false}, "port is already allocated"},
		{"port range", container, port(props{"internal": 70000}), port(props{"internal": 80}), "not from 1 to 65535"},
		{"port address", container, port(props{"internal": 80, "ip": "everywhere"}), port(props{"internal": 80, "ip": "0.0.0.0"}), "invalid IP address"},
		{"port protocol", container, port(props{"internal": 80, "protocol": "http"}), port(props{"internal": 80, "protocol": "sctp"}), "expected one of tcp, udp, sctp"},

		{"network is there", container, box(props{"networksAdvanced": list(props{"name": "nothing"})}), props{"networksAdvanced": list(props{"name": "inner"})}, "network nothing not found"},
		{"network mode is there", container, box(props{"networkMode": "nothing"}), props{"networkMode": "inner"}, "network nothing not found"},
		{"network of a container", container, box(props{"networkMode": "container:nobody"}), props{"networkMode": "container:first"}, "No such container: nobody"},
		{"host network alone", container, box(props{"networkMode": "host", "networksAdvanced": list(props{"name": "inner"})}), props{"networksAdvanced": nil}, "cannot be connected to any other network"},
		{"network once", container, box(props{"networksAdvanced": list(props{"name": "inner"}, props{"name": "inner"})}), props{"networksAdvanced": list(props{"name": "inner"})}, "already exists in network inner"},
		{"no alias on the default network", container, box(props{"networksAdvanced": list(props{"name": "bridge", "aliases": []string{"a"}})}), props{"networksAdvanced": list(props{"name": "inner", "aliases": []string{"a"}})}, "only for containers in user defined networks"},
		{"address in the network", container, box(props{"networksAdvanced": list(props{"name": "inner", "ipv4Address": "10.2.0.9"})}), props{"networksAdvanced": list(props{"name": "inner", "ipv4Address": "10.1.0.9"})}, "no configured subnet contains"},
		{"address is free", container, box(props{"networksAdvanced": list(props{"name": "inner", "ipv4Address": "10.1.0.1"})}), props{"networksAdvanced": list(props{"name": "inner", "ipv4Address": "10.1.0.8"})}, "Address already in use"},

		{"volume name alphabet", volume, props{"name": "da ta"}, props{"name": "da_ta"}, "invalid characters for a local volume name"},
		{"volume name unique", volume, props{"name": "data"}, props{"name": "data2"}, "is on this host already"},
		{"network name alphabet", network, props{"name": "a b"}, props{"name": "a.b"}, "invalid network name"},
		{"network name unique", network, props{"name": "inner"}, props{"name": "outer"}, "network with name inner already exists"},
		{"network name is not Docker's", network, props{"name": "host"}, props{"name": "hosts"}, "predefined host network"},
		{"subnets apart", network, ipam(props{"subnet": "10.1.0.128/25"}), ipam(props{"subnet": "10.2.0.0/24"}), "Pool overlaps with other one on this address space"},
		{"subnet is not the default network's", network, ipam(props{"subnet": "172.17.0.0/24"}), ipam(props{"subnet": "172.16.0.0/24"}), "Pool overlaps"},
		{"subnet in network form", network, ipam(props{"subnet": "10.2.0.1/24"}), ipam(props{"subnet": "10.2.0.0/24"}), "invalid subnet"},
		{"gateway in the subnet", network, ipam(props{"subnet": "10.2.0.0/24", "gateway": "10.3.0.1"}), ipam(props{"subnet": "10.2.0.0/24", "gateway": "10.2.0.254"}), "invalid gateway"},
		{"range in the subnet", network, ipam(props{"subnet": "10.2.0.0/24", "ipRange": "10.2.0.0/16"}), ipam(props{"subnet": "10.2.0.0/24", "ipRange": "10.2.0.128/25"}), "invalid ip-range"},
		{"pulled image reference", remoteImage, props{"name": "a//b"}, props{"name": "a/b:1"}, "invalid reference format"},
		{"built image reference", image, props{"imageName": "A"}, props{"imageName": "a"}, "invalid reference format"},
		{"tagged image is there", tag, props{"sourceImage": "nothing:1", "targetImage": "a:1"}, props{"sourceImage": "redis:7.4"}, "No such image: nothing:1"},
		{"tag reference", tag, props{"sourceImage": "redis:7.4", "targetImage": "A"}, props{"targetImage": "a:1"}, "invalid reference format"},
		{"pushed image is there", registryImage, props{"name": "nothing:1"}, props{"name": "redis:7.4"}, "does not exist locally with the tag"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s, _ := start(t)
			s.Must(volume, "data", props{"name": "data"})
			s.Must(network, "inner", with(ipam(props{"subnet": "10.1.0.0/24"}), props{"name": "inner"}))
			s.Must(remoteImage, "redis", props{"name": "redis:7.4"})
			s.Must(container, "first", props{"name": "first", "image": "redis:7.4", "ports": list(props{"internal": 80, "external": 8080})})
			s.Refuses(test.token, "x", test.bad, test.want)
			s.Must(test.token, "x", with(test.bad, test.good))
		})
	}
}

func health(more props) props {
	return box(props{"healthcheck": with(props{"tests": []string{"CMD-SHELL", "true"}}, more)})
}

func ipam(p props) props { return props{"name": "n", "ipamConfigs": list(p)} }

func TestReachesItsHostOnly(t *testing.T) {
	s, host := start(t)
	for _, address := range []string{"unix:///var/run/docker.sock", "ssh://a@203.0.113.7", "tcp://127.0.0.1:2375", ""} {
		s.With("docker", props{"host": address}).Must(volume, "v", props{"name": "vv"})
		if r := s.World.All("", volume); len(r) > 0 {
			s.World.Remove(r[0].Scope, volume, r[0].ID)
		}
	}
	s.With("docker", props{"host": "ssh://a@8.8.4.4"}).Refuses(volume, "v", props{"name": "vv"}, "Cannot connect to the Docker daemon at ssh://a@8.8.4.4. Is the docker daemon running?")
	s.Must(volume, "v", props{"name": "vv"})
	closed := s.Must(firewall, "f", props{"rules": list(props{"direction": "in", "protocol": "tcp", "port": "443", "sourceIps": []string{"0.0.0.0/0"}}),
		"applyTos": list(props{"server": host.ID})})
	s.Refuses(volume, "w", props{"name": "ww"}, "lets TCP port 22 in")
	if err := s.Delete(closed); err != nil {
		t.Fatal(err)
	}
	s.Must(volume, "w", props{"name": "ww"})
}

func TestHostForms(t *testing.T) {
	for host, ok := range map[string]bool{
		"ssh://root@192.0.2.1": true, "ssh://root@192.0.2.1:2222": true, "tcp://h:2376": true, "unix:///run/docker.sock": true, "npipe:////./pipe/docker": true,
		"192.0.2.1": false, "root@192.0.2.1": false, "ssh://": false, "ssh://h/path": false, "ftp://h": false, "unix://": false,
	} {
		c := &cloud.CheckCall{In: cloud.Object{"host": host}}
		docker.Package().CheckConfig(c)
		if (len(c.Failures) == 0) != ok {
			t.Errorf("host %q: %v", host, c.Failures)
		}
	}
	c := &cloud.CheckCall{In: cloud.Object{"host": cloud.Unknown}}
	if docker.Package().CheckConfig(c); len(c.Failures) > 0 {
		t.Errorf("an unknown host is refused: %v", c.Failures)
	}
}

func TestHostsAreApart(t *testing.T) {
	s, _ := start(t)
	other := s.Must(server, "other", props{"name": "other", "serverType": "cx23", "image": "ubuntu-24.04", "location": "nbg1"})
	there := s.With("docker", props{"host": "ssh://deploy@" + other.Out.String("ipv4Address")})
	for _, on := range []*simtest.Sim{s, there} {
		on.Must(volume, "v", props{"name": "vv"})
		on.Must(container, "c", box(props{"volumes": list(props{"volumeName": "vv", "containerPath": "/v"}), "ports": list(props{"internal": 80, "external": 80})}))
	}
	// Another user of the same host is on the same host.
	s.With("docker", props{"host": strings.Replace(s.World.All("", volume)[0].Scope, "host ", "ssh://root@", 1)}).Refuses(volume, "v", props{"name": "vv"}, "is on this host already")
}

func TestInUse(t *testing.T) {
	s, _ := start(t)
	v := s.Must(volume, "v", props{"name": "vv"})
	n := s.Must(network, "n", props{"name": "n"})
	i := s.Must(remoteImage, "i", props{"name": "redis:7.4"})
	same := s.Must(remoteImage, "same", props{"name": "redis:7.4"})
	kept := s.Must(remoteImage, "kept", props{"name": "postgres:15.10", "keepLocally": true})
	c := s.Must(container, "c", box(props{"image": i.Out["imageId"], "volumes": list(props{"volumeName": "vv", "containerPath": "/v"}), "networksAdvanced": list(props{"name": "n"})}))
	s.Must(container, "k", box(props{"name": "kk", "image": kept.Out["imageId"]}))
	if err := s.Delete(same); err != nil {
		t.Errorf("one of two resources of an image: %v", err)
	}
	if err := s.Delete(kept); err != nil {
		t.Errorf("an image that is kept: %v", err)
	}
	refused := map[*cloud.Resource]string{v: "volume is in use", n: "has active endpoints", i: "image is being used by running container"}
	for r, want := range refused {
		if err := s.Delete(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s in use: got %v, want %q", r.Type, err, want)
		}
	}
	if err := s.Delete(c); err != nil {
		t.Fatal(err)
	}
	for r := range refused {
		if err := s.Delete(r); err != nil {
			t.Errorf("%s not in use: %v", r.Type, err)
		}
	}
}

func TestOutputs(t *testing.T) {
	s, _ := start(t)
	n := s.Must(network, "n", props{"name": "n"})
	i := s.Must(remoteImage, "i", props{"name": "ghcr.io/a/b:1"})
	v := s.Must(volume, "v", props{"name": "vv"})
	c := s.Must(container, "c", box(props{"networksAdvanced": list(props{"name": n.ID}), "ports": list(props{"internal": 80})}))
	hex := regexp.MustCompile(`^[0-9a-f]{64}$`)
	for what, got := range map[string]string{
		"container": c.ID, "network": n.ID, "image": strings.TrimPrefix(i.Out.String("imageId"), "sha256:"),
		"digest": strings.TrimPrefix(i.Out.String("repoDigest"), "ghcr.io/a/b@sha256:"),
	} {
		if !hex.MatchString(got) {
			t.Errorf("%s: %q", what, got)
		}
	}
	subnet, err := netip.ParsePrefix(n.Out.String("ipamConfigs.0.subnet"))
	if err != nil {
		t.Fatal(err)
	}
	address, err := netip.ParseAddr(c.Out.String("networkDatas.0.ipAddress"))
	if err != nil || !subnet.Contains(address) || c.Out.String("networkDatas.0.gateway") != n.Out.String("ipamConfigs.0.gateway") {
		t.Errorf("the container's network is %v, the network %v", c.Out["networkDatas"], n.Out["ipamConfigs"])
	}
	if c.Out.Int("ports.0.external") < 32768 || c.Out["hostname"] != c.ID[:12] || c.Out["runtime"] != "runc" {
		t.Errorf("container: %v", c.Out)
	}
	if n.Out["driver"] != "bridge" || n.Out["scope"] != "local" || v.Out["driver"] != "local" || v.Out["mountpoint"] != "/var/lib/docker/volumes/vv/_data" {
		t.Errorf("network %v, volume %v", n.Out, v.Out)
	}
	pinned := s.Must(remoteImage, "pinned", props{"name": "redis:7@sha256:" + strings.Repeat("ab", 32)})
	if pinned.Out["repoDigest"] != "redis@sha256:"+strings.Repeat("ab", 32) {
		t.Errorf("digest of a pinned image: %v", pinned.Out["repoDigest"])
	}
}

func TestUpdateInPlace(t *testing.T) {
	s, _ := start(t)
	c := s.Must(container, "c", box(props{"memory": 64}))
	if _, err := s.Update(c, box(props{"memory": 5})); err == nil || !strings.Contains(err.Error(), "Minimum memory limit") {
		t.Errorf("an update below the least memory: %v", err)
	}
	if c, err := s.Update(c, box(props{"memory": 128})); err != nil || c.Out.Int("memory") != 128 {
		t.Errorf("an update: %v", err)
	}
}

func TestFunctions(t *testing.T) {
	s, _ := start(t)
	n := s.Must(network, "n", props{"name": "n"})
	i := s.Must(remoteImage, "i", props{"name": "redis:7"})
	for token, want := range map[string]string{"getNetwork": n.ID, "getRemoteImage": i.Out.String("imageId"), "getRegistryImage": strings.TrimPrefix(i.Out.String("repoDigest"), "redis@")} {
		name := "redis:7"
		if token == "getNetwork" {
			name = "n"
		}
		full := "docker:index/" + token + ":" + token
		out, err := s.Invoke(full, props{"name": name})
		if err != nil || out.String("id") != want && out.String("sha256Digest") != want {
			t.Errorf("%s: %v %v, want %s", token, out, err, want)
		}
		if _, err := s.Invoke(full, props{"name": "No!"}); err == nil {
			t.Errorf("%s finds nothing", token)
		}
	}
}
