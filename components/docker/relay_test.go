package docker

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

var relayHosts = map[string]RelayHost{
	"api":  {Host: "api.example.com"},
	"auth": {Host: "auth.example.com", WritePaths: []string{"/verify", "/v1.0/call-back/"}},
	"git":  {Host: "git.example.com", Git: true},
}

func relayArgs(p *Platform, mode RelayMode) *RelayArgs {
	a := &RelayArgs{Platform: p, Image: "nginx:1.28.0-alpine", Limits: testLimits, Mode: mode, Hosts: relayHosts, AppHost: "app.example.com"}
	if mode == RelayForward {
		a.Upstream = pulumi.String("alb.example.net")
	}
	return a
}

// relays registers one in each mode, each on its own platform.
func relays(t *testing.T, proxy string) []recorder.Resource {
	t.Helper()
	return record(t, func(ctx *pulumi.Context) error {
		for _, mode := range []RelayMode{RelayFreeze, RelayForward} {
			p, err := testPlatform(ctx, string(mode), proxy)
			if err != nil {
				return err
			}
			if _, err := NewRelay(ctx, "relay-"+string(mode), relayArgs(p, mode), pulumi.Parent(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestRelayTwice(t *testing.T) {
	list := relays(t, ProxyTraefik)
	if got := recorder.Count(list); got[RelayType] != 2 || got[ServiceType] != 2 || got[containerType] != 4 || got[volumeType] != 2 {
		t.Errorf("registered %v, want 2 relays, each a container with its files", got)
	}
	for _, r := range list {
		if r.Type == containerType {
			t.Run(r.Name, func(t *testing.T) { checkContainer(t, r) })
		}
	}
	for _, mode := range []string{"freeze", "forward"} {
		c := recorder.Must(t, list, containerType, "relay-"+mode+"-service-container")
		for path, want := range map[string]any{
			"name": "relay-" + mode, "user": "101:101", "entrypoints.0": "nginx", "command.3": "/run/secrets/nginx.conf",
			"networksAdvanced.0.name": mode + "-edge", "networksAdvanced.1": nil, "ports": nil, "volumes.1": nil,
		} {
			if got := c.Input(path); got != want {
				t.Errorf("%s: %s = %v, want %v", mode, path, got, want)
			}
		}
	}
}

func TestRelayRoutes(t *testing.T) {
	for _, proxy := range []string{ProxyTraefik, ProxyCoolify} {
		list := relays(t, proxy)
		seen := map[string]bool{}
		for mode, priority := range map[string]string{"freeze": "2001", "forward": "2000"} {
			labels := labelsOf(t, list, "relay-"+mode+"-service")
			for key, h := range relayHosts {
				router := fmt.Sprintf("traefik.http.routers.relay-%s-%s", mode, key)
				want := map[string]string{
					router + ".tls": "true", router + ".tls.certresolver": certificateResolver, router + ".priority": priority,
					router + ".service": "relay-" + mode + "-" + key, router + ".middlewares": "relay-" + mode + "-" + key + "-headers",
					"traefik.http.services.relay-" + mode + "-" + key + ".loadbalancer.server.port":              "8080",
					"traefik.http.middlewares.relay-" + mode + "-" + key + "-headers.headers.contenttypenosniff": "true",
				}
				if proxy == ProxyCoolify {
					want[router+"-http.priority"] = priority
				}
				for k, v := range want {
					if labels[k] != v {
						t.Errorf("%s %s: %s = %q, want %q", proxy, mode, k, labels[k], v)
					}
				}
				if mode == "forward" && labels[router+".rule"] != "Host(`"+h.Host+"`)" {
					t.Errorf("forwarding %s takes only %s", key, labels[router+".rule"])
				}
			}
			for k := range labels {
				if seen[k] && strings.HasPrefix(k, "traefik.http.") {
					t.Errorf("%s: both modes say something of %s", proxy, k)
				}
				seen[k] = true
			}
		}
	}
}

// TestRelayFreezes evaluates the rules as Traefik 3 does, which reads them as Go expressions too.
func TestRelayFreezes(t *testing.T) {
	labels := labelsOf(t, relays(t, ProxyTraefik), "relay-freeze-service")
	var rules []ast.Expr
	for key := range relayHosts {
		e, err := parser.ParseExpr(labels["traefik.http.routers.relay-freeze-"+key+".rule"])
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, e)
	}
	for request, caught := range map[string]bool{
		"GET https://api.example.com/v1/things":                                      false,
		"HEAD https://api.example.com/v1/things":                                     false,
		"OPTIONS https://api.example.com/v1/things":                                  false, // preflight of a browser
		"CONNECT https://api.example.com/ws":                                         false, // WebSocket over HTTP/2
		"POST https://api.example.com/v1/things":                                     true,
		"PUT https://api.example.com/v1/things/1":                                    true,
		"PATCH https://api.example.com/v1/things/1":                                  true,
		"DELETE https://api.example.com/v1/things/1":                                 true,
		"POST https://api.example.com/a/git-upload-pack":                             true, // not the git server
		"GET https://api.example.com/a/info/refs?service=git-receive-pack":           false,
		"GET https://api.example.com/verify":                                         false,
		"GET https://auth.example.com/settings":                                      false,
		"GET https://auth.example.com/verify?token=x":                                true,
		"GET https://auth.example.com/verify/":                                       true,
		"GET https://auth.example.com/verify/x":                                      false,
		"GET https://auth.example.com/x/verify":                                      false,
		"GET https://auth.example.com/v1.0/call-back":                                true,
		"GET https://auth.example.com/v1x0/call-back":                                false,
		"POST https://auth.example.com/token?grant_type=refresh_token":               true,
		"GET https://git.example.com/a/b":                                            false,
		"GET https://git.example.com/a/b.git/info/refs?service=git-upload-pack":      false,
		"POST https://git.example.com/a/b.git/git-upload-pack":                       false,
		"POST https://git.example.com/a/b.git/info/lfs/objects/batch":                false,
		"GET https://git.example.com/a/b.git/info/lfs/objects/01ab":                  false,
		"GET https://git.example.com/a/b.git/info/refs?service=git-receive-pack":     true,
		"GET https://git.example.com/a/b.git/info/refs?x=1&service=git-receive-pack": true,
		"POST https://git.example.com/a/b.git/git-receive-pack":                      true,
		"PUT https://git.example.com/a/b.git/info/lfs/objects/01ab/9":                true,
		"DELETE https://git.example.com/a/git-upload-pack":                           true,
		"POST https://git.example.com/git-upload-pack/settings":                      true,
		"POST https://git.example.com/a/b/settings?x=/git-upload-pack":               true,
		"POST https://app.example.com/":                                              false,
	} {
		method, address, _ := strings.Cut(request, " ")
		r, err := http.NewRequest(method, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(rules, func(e ast.Expr) bool { return matches(t, e, r) }); got != caught {
			t.Errorf("%s: caught %v, want %v", request, got, caught)
		}
	}
}

// matches evaluates a rule of Traefik 3.
func matches(t *testing.T, e ast.Expr, r *http.Request) bool {
	t.Helper()
	switch e := e.(type) {
	case *ast.ParenExpr:
		return matches(t, e.X, r)
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return !matches(t, e.X, r)
		}
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND:
			return matches(t, e.X, r) && matches(t, e.Y, r)
		case token.LOR:
			return matches(t, e.X, r) || matches(t, e.Y, r)
		}
	case *ast.CallExpr:
		var args []string
		for _, a := range e.Args {
			text, err := strconv.Unquote(a.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			args = append(args, text)
		}
		switch name := e.Fun.(*ast.Ident).Name; {
		case name == "Host" && len(args) == 1:
			return r.URL.Host == args[0]
		case name == "Method" && len(args) == 1:
			return r.Method == args[0]
		case name == "PathRegexp" && len(args) == 1:
			return regexp.MustCompile(args[0]).MatchString(r.URL.Path)
		case name == "Query" && len(args) == 2:
			return slices.Contains(r.URL.Query()[args[0]], args[1])
		}
	}
	t.Fatalf("Traefik 3 has no rule like %#v", e)
	return false
}

func TestRelayRefuses(t *testing.T) {
	host := func(key string, h RelayHost) func(*RelayArgs) {
		return func(a *RelayArgs) {
			a.Hosts = map[string]RelayHost{"api": {Host: "api.example.com", Git: true}, key: h}
		}
	}
	for want, change := range map[string]func(*RelayArgs){
		"Platform":                                       func(a *RelayArgs) { a.Platform = nil },
		"Mode: got x, want freeze or forward":            func(a *RelayArgs) { a.Mode = "x" },
		"Hosts: got none":                                func(a *RelayArgs) { a.Hosts = nil },
		"Hosts.A b: got A b":                             host("A b", RelayHost{Host: "x.example.com"}),
		"Hosts.git.Host: got Git.example.com":            host("git", RelayHost{Host: "Git.example.com"}),
		"Hosts.git.Host: got a`) || Host(`b":             host("git", RelayHost{Host: "a`) || Host(`b"}),
		"Hosts.git.Host: got api.example.com, want each": host("git", RelayHost{Host: "api.example.com"}),
		"Hosts: got 2 git servers":                       host("git", RelayHost{Host: "git.example.com", Git: true}),
		"Hosts.auth.WritePaths: got verify":              host("auth", RelayHost{Host: "auth.example.com", WritePaths: []string{"verify"}}),
		"AppHost: got App":                               func(a *RelayArgs) { a.AppHost = "App" },
		"Upstream: got <nil>":                            func(a *RelayArgs) { a.Mode = RelayForward },
		"IdleTimeoutSeconds: got 59":                     func(a *RelayArgs) { a.IdleTimeoutSeconds = 59 },
		"IdleTimeoutSeconds: got 4001":                   func(a *RelayArgs) { a.IdleTimeoutSeconds = 4001 },
		"Upstream: got other, want":                      func(a *RelayArgs) { a.Upstream = pulumi.String("other") },
	} {
		_, err := (&recorder.Recorder{}).Run(func(ctx *pulumi.Context) error {
			p, err := testPlatform(ctx, "platform", ProxyTraefik)
			if err != nil {
				return err
			}
			args := relayArgs(p, RelayFreeze)
			change(args)
			_, err = NewRelay(ctx, "relay", args)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `Relay "relay"`) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
