package aws

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

// frozenAlb has a git server, and a sign-in whose links write.
func frozenAlb(a *PublicAlbArgs) {
	a.FreezeWrites = true
	git := a.Hosts["git"]
	git.Git = true
	a.Hosts["git"] = git
	a.Hosts["auth"] = AlbHost{Hosts: []string{"auth.morphee.app"}, Port: 9999, Priority: 30, WritePaths: []string{"/verify", "/callback"}}
}

func TestFreezeWritesTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		for _, name := range []string{"one", "two"} {
			alb, err := NewPublicAlb(ctx, name, albArgs(frozenAlb))
			if err != nil {
				return err
			}
			if len(alb.Frozen) != 4 {
				t.Errorf("%d rules to wait for, want the 4 refusals", len(alb.Frozen))
			}
		}
		return nil
	})
	rules := recorder.Count(list)["aws:lb/listenerRule:ListenerRule"]
	if rules != 2*(3+5) {
		t.Errorf("%d rules, want 3 of hosts and 5 of the freeze, twice", rules)
	}
	reads := recorder.Must(t, list, "aws:lb/listenerRule:ListenerRule", "one-reads-git")
	recorder.Expect(t, reads, map[string]any{"priority": 1, "actions.0.type": "forward", "actions.0.targetGroupArn": "arn:aws:one-git"})
	for _, r := range list {
		if strings.HasPrefix(r.Name, "one-frozen-") {
			recorder.Expect(t, r, map[string]any{
				"listenerArn": "arn:aws:one-https", "actions.0.type": "fixed-response",
				"actions.0.fixedResponse.statusCode": "503", "actions.0.fixedResponse.contentType": "application/json",
			})
			if !slices.Contains(r.Dependencies, reads.URN()) {
				t.Errorf("%s does not wait for the rule that lets clones through", r.Name)
			}
		}
	}
}

// Without FreezeWrites, what only it needs changes nothing.
func TestFreezeWritesOff(t *testing.T) {
	rules := func(change func(*PublicAlbArgs)) (out []string) {
		for _, r := range register(t, func(ctx *pulumi.Context) error {
			alb, err := NewPublicAlb(ctx, "web", albArgs(change))
			if err == nil && alb.Frozen != nil {
				t.Error("rules to wait for although nothing is frozen")
			}
			return err
		}) {
			if r.Type == "aws:lb/listenerRule:ListenerRule" {
				out = append(out, fmt.Sprint(r.Name, r.Inputs))
			}
		}
		return out
	}
	plain := rules(func(a *PublicAlbArgs) { frozenAlb(a); a.FreezeWrites = false })
	bare := rules(func(a *PublicAlbArgs) {
		a.Hosts["auth"] = AlbHost{Hosts: []string{"auth.morphee.app"}, Port: 9999, Priority: 30}
	})
	if !slices.Equal(plain, bare) || len(plain) != 3 {
		t.Errorf("rules\n%v\nwant\n%v", plain, bare)
	}
}

// TestFreezeWritesMeaning sends requests through the rules as AWS does: by priority, all conditions of
// a rule, any value of a condition.
func TestFreezeWritesMeaning(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		_, err := NewPublicAlb(ctx, "web", albArgs(frozenAlb))
		return err
	})
	var rules []recorder.Resource
	for _, r := range list {
		if r.Type == "aws:lb/listenerRule:ListenerRule" {
			rules = append(rules, r)
		}
	}
	slices.SortFunc(rules, func(a, b recorder.Resource) int {
		return int(a.Input("priority").(float64) - b.Input("priority").(float64))
	})
	for request, want := range map[string]string{
		"GET https://api.morphee.app/v1/things":                                  "web-api-rule",
		"HEAD https://api.morphee.app/v1/things":                                 "web-api-rule",
		"OPTIONS https://api.morphee.app/v1/things":                              "web-api-rule",
		"POST https://api.morphee.app/v1/things":                                 "web-frozen-changes",
		"PUT https://api.morphee.app/v1/things/1":                                "web-frozen-changes",
		"PATCH https://api.morphee.app/v1/things/1":                              "web-frozen-changes",
		"DELETE https://api.morphee.app/v1/things/1":                             "web-frozen-deletes",
		"POST https://api.morphee.app/a/git-upload-pack":                         "web-frozen-changes",
		"GET https://api.morphee.app/verify":                                     "web-api-rule",
		"GET https://auth.morphee.app/verify?token=x":                            "web-frozen-auth",
		"GET https://auth.morphee.app/callback":                                  "web-frozen-auth",
		"GET https://auth.morphee.app/settings":                                  "web-auth-rule",
		"POST https://auth.morphee.app/token?grant_type=password":                "web-frozen-changes",
		"GET https://git.morphee.app/a/b.git/info/refs?service=git-upload-pack":  "web-git-rule",
		"POST https://git.morphee.app/a/b.git/git-upload-pack":                   "web-reads-git",
		"POST https://git.morphee.app/a/b.git/info/lfs/objects/batch":            "web-reads-git",
		"GET https://git.morphee.app/a/b.git/info/refs?service=git-receive-pack": "web-frozen-push",
		"POST https://git.morphee.app/a/b.git/git-receive-pack":                  "web-frozen-changes",
		"PUT https://git.morphee.app/a/b.git/info/lfs/objects/0123/9":            "web-frozen-changes",
		"POST https://git.morphee.app/user/login":                                "web-frozen-changes",
		"GET https://git.morphee.app/a/b":                                        "web-git-rule",
	} {
		method, address, _ := strings.Cut(request, " ")
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got := "none"
		if i := slices.IndexFunc(rules, func(r recorder.Resource) bool { return met(t, r, &http.Request{Method: method, URL: u}) }); i >= 0 {
			got = rules[i].Name
		}
		if got != want {
			t.Errorf("%s: rule %s, want %s", request, got, want)
		}
	}
}

// met says whether a request meets all conditions of a rule.
func met(t *testing.T, rule recorder.Resource, r *http.Request) bool {
	t.Helper()
	for _, c := range rule.Input("conditions").([]any) {
		for kind, v := range c.(map[string]any) {
			if !meets(t, kind, v, r) {
				return false
			}
		}
	}
	return true
}

func meets(t *testing.T, kind string, v any, r *http.Request) bool {
	t.Helper()
	if kind == "queryStrings" {
		return slices.ContainsFunc(v.([]any), func(v any) bool {
			pair := v.(map[string]any)
			return r.URL.Query().Get(pair["key"].(string)) == pair["value"]
		})
	}
	return slices.ContainsFunc(v.(map[string]any)["values"].([]any), func(v any) bool {
		want := v.(string)
		switch kind {
		case "hostHeader":
			return want == r.URL.Host
		case "httpRequestMethod":
			return want == r.Method
		case "pathPattern":
			return glob(want, r.URL.Path)
		}
		t.Fatalf("condition %s", kind)
		return false
	})
}

// glob matches as AWS does: a star stands for slashes too.
func glob(pattern, s string) bool {
	hide := func(s string) string { return strings.ReplaceAll(s, "/", "\x01") }
	ok, err := path.Match(hide(pattern), hide(s))
	return ok && err == nil
}

func TestFreezeWritesRefuses(t *testing.T) {
	host := func(key string, change func(*AlbHost)) func(*PublicAlbArgs) {
		return func(a *PublicAlbArgs) {
			h := a.Hosts[key]
			change(&h)
			a.Hosts[key] = h
		}
	}
	for field, change := range map[string]func(*PublicAlbArgs){
		"Hosts.api.Priority: got 9":      host("api", func(h *AlbHost) { h.Priority = 9 }),
		"Hosts.git.Hosts: got 3":         host("git", func(h *AlbHost) { h.Hosts = []string{"a.morphee.app", "b.morphee.app", "c.morphee.app"} }),
		"Hosts.auth.WritePaths: got 4":   host("auth", func(h *AlbHost) { h.WritePaths = []string{"/a", "/b", "/c", "/d"} }),
		"Hosts.auth.WritePaths: got /a*": host("auth", func(h *AlbHost) { h.WritePaths = []string{"/a*"} }),
		"Hosts.auth.WritePaths: got a":   host("auth", func(h *AlbHost) { h.WritePaths = []string{"a"} }),
		"Hosts: got 2 git servers":       host("api", func(h *AlbHost) { h.Git = true }),
		"Hosts.push: got push, want another name": func(a *PublicAlbArgs) {
			a.Hosts["push"] = AlbHost{Hosts: []string{"push.morphee.app"}, Port: 1, Priority: 40, WritePaths: []string{"/a"}}
		},
		"Hosts: got 6 with WritePaths": func(a *PublicAlbArgs) {
			for _, k := range []string{"a", "b", "c", "d", "e"} {
				a.Hosts[k] = AlbHost{Hosts: []string{k + ".morphee.app"}, Port: 1, Priority: 40 + int(k[0]), WritePaths: []string{"/x"}}
			}
		},
	} {
		t.Run(field, func(t *testing.T) {
			recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
				_, err := NewPublicAlb(ctx, "web", albArgs(func(a *PublicAlbArgs) { frozenAlb(a); change(a) }))
				return err
			})
			// The same without the freeze is fine.
			register(t, func(ctx *pulumi.Context) error {
				_, err := NewPublicAlb(ctx, "web", albArgs(func(a *PublicAlbArgs) { frozenAlb(a); change(a); a.FreezeWrites = false }))
				return err
			})
		})
	}
}
