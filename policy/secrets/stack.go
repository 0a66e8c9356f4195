package secrets

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

var stack = []rule.Rule{{
	ID: "secret-leak", Level: rule.Mandatory,
	Title:  "No value that is a Pulumi secret in one place stands in plain in another",
	Reason: "A secret that went through a step which forgot that it is one is as readable as if it had never been one.",
	Mend:   "Find where it loses its mark: a plain copy of the value, or an output that is not declared secret.",
	Graph:  leaks,
}, {
	ID: "output-no-secret", Level: rule.Mandatory, Refs: []string{"C41"},
	Title:  "The stack's outputs show no secret in plain",
	Reason: "Outputs are printed at the end of every deployment, and read by other stacks.",
	Mend:   "Pass the output through pulumi.ToSecret, or do not export it.",
	Graph: func(g *rule.Graph) {
		for _, s := range g.Of("pulumi:pulumi:Stack") {
			g.Looked(s)
			outputs := rule.Of(s.Outputs)
			for _, top := range outputs.Keys() {
				outputs.Key(top).Walk(func(v rule.Value) {
					name := lastName(v.Path())
					_, odd := random(v.Text())
					switch {
					case v.Secret():
					case v.Unknown() && (secretName(name) || secretName(top)):
						g.Undecided(s, v.Path())
					case (secretName(name) || secretName(top)) && secretText(v.Text()), knownFormat(v.Text()) != "", odd:
						g.Violate(s, "the output %s is a secret in plain text", v.Path())
					}
				})
			}
		}
	},
}}

// secretShape is what generated secrets look like; a host name or a user that is part of a secret
// object is not, and may be seen elsewhere.
var secretShape = regexp.MustCompile(`^[A-Za-z0-9+/=_!#%&*^-]{16,}$`)

func leaks(g *rule.Graph) {
	ids := map[string]bool{}
	for _, r := range g.All() {
		ids[r.Identity()] = true
	}
	found := map[string]bool{}
	unknown := false
	for _, r := range g.All() {
		for _, tree := range []map[string]any{r.Inputs, r.Outputs} {
			leaves(tree, false, func(text string, secret, open bool) {
				if !secret {
					return
				}
				unknown = unknown || open
				text = strings.TrimSpace(text)
				if secretShape.MatchString(text) && strings.ContainsAny(text, "0123456789") && !ids[text] {
					found[text] = true
				}
			})
		}
	}
	for _, key := range g.Options().SecretKeys {
		if text := g.Options().Config[key]; secretShape.MatchString(text) {
			found[text] = true
		}
	}
	if unknown {
		g.UndecidedStack("secrets that are not known yet")
	}
	if len(found) == 0 {
		g.LookedStack()
		return
	}
	finder := newFinder(slices.Sorted(maps.Keys(found)))
	for _, r := range g.All() {
		g.Looked(r)
		seen := map[string]bool{}
		for where, tree := range map[string]map[string]any{"input": r.Inputs, "output": r.Outputs} {
			clean := true
			leaves(tree, false, func(text string, secret, _ bool) { clean = clean && (secret || !finder.in(text)) })
			if clean {
				continue
			}
			rule.Of(tree).Walk(func(v rule.Value) {
				if v.Secret() || seen[v.Path()] || strings.HasPrefix(v.Path(), "__") || !finder.in(v.Text()) {
					return
				}
				seen[v.Path()] = true
				g.Violate(r, "the %s %s holds a value that is a secret elsewhere", where, v.Path())
			})
		}
	}
}

// leaves visits the texts of a tree without their paths, which are only asked for when something is found.
func leaves(tree any, secret bool, visit func(text string, secret, unknown bool)) {
	switch v := tree.(type) {
	case rule.Secret:
		leaves(v.V, true, visit)
	case map[string]any:
		for _, e := range v {
			leaves(e, secret, visit)
		}
	case []any:
		for _, e := range v {
			leaves(e, secret, visit)
		}
	case rule.Unknown:
		visit("", secret, true)
	case string:
		visit(v, secret, false)
	}
}

// finder finds any of many texts, reading what it looks through once.
type finder struct {
	list  []string
	start [1 << 16]bool // by the first three bytes
}

func newFinder(list []string) *finder {
	f := &finder{list: list}
	for _, s := range list {
		f.start[hash3(s)] = true
	}
	return f
}

func hash3(s string) uint16 {
	return uint16(s[0]) ^ uint16(s[1])<<5 ^ uint16(s[2])<<9
}

func (f *finder) in(text string) bool {
	for i := 0; i+16 <= len(text); i++ {
		if !f.start[hash3(text[i:])] {
			continue
		}
		for _, s := range f.list {
			if strings.HasPrefix(text[i:], s) {
				return true
			}
		}
	}
	return false
}
