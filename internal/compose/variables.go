package compose

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/deployment"
)

// variables replaces secrets by variables.
type variables struct {
	byValue map[string]string // secret to the name of its variable
	source  map[string]string // variable to the resource that makes it
	users   map[string][]string
	order   []string        // secrets, longest first, so that one inside another does not break it
	hidden  map[string]bool // every secret of the deployment's containers
}

// makers are the types that generate secrets, with the output that holds each.
var makers = map[string][]string{
	"random:index/randomPassword:RandomPassword": {"result"},
	"random:index/randomString:RandomString":     {"result"},
	"random:index/randomBytes:RandomBytes":       {"base64", "hex"},
	"random:index/randomId:RandomId":             {"hex", "b64Url"},
	"tls:index/privateKey:PrivateKey":            {"privateKeyOpenssh", "privateKeyPem"},
	"cloudflare:index/apiToken:ApiToken":         {"value"},
	"command:remote:Command":                     {"stdout"},
}

func newVariables(resources []deployment.Resource, configured map[string]string) *variables {
	v := &variables{byValue: map[string]string{}, source: map[string]string{}, users: map[string][]string{}, hidden: map[string]bool{}}
	for _, key := range slices.Sorted(maps.Keys(configured)) {
		if s := configured[key]; s != "" {
			short := key[strings.Index(key, ":")+1:]
			v.add(s, variableName(short), "the configured "+key)
		}
	}
	for _, r := range resources {
		for _, key := range makers[r.Type] {
			s := text(r.Outputs[key])
			if len(s) < 8 {
				continue // too short to be found again without mistaking other text for it
			}
			name := variableName(r.Name)
			if len(makers[r.Type]) > 1 {
				name += "_" + variableName(key)
			}
			source := "generated as "
			if strings.HasPrefix(r.Type, "command:") {
				source = "printed by the command "
			}
			v.add(s, name, source+r.Name)
		}
		if r.Type == containerType {
			for _, s := range deployment.Secrets(any(r.Inputs)) {
				v.hidden[s] = true
			}
		}
	}
	return v
}

func (v *variables) add(secret, name, source string) {
	if v.byValue[secret] != "" {
		return
	}
	unique := name
	for n := 2; v.source[unique] != ""; n++ {
		unique = fmt.Sprintf("%s_%d", name, n)
	}
	v.byValue[secret], v.source[unique] = unique, source
	v.order = append(v.order, secret)
	slices.SortFunc(v.order, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
}

func variableName(s string) string {
	var b strings.Builder
	for i, c := range s {
		switch {
		case c >= 'a' && c <= 'z':
			b.WriteRune(c - 'a' + 'A')
		case c >= 'A' && c <= 'Z' && i > 0 && s[i-1] >= 'a' && s[i-1] <= 'z':
			b.WriteString("_" + string(c))
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			b.WriteRune(c)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// escape keeps Compose from reading a dollar sign as a variable.
func escape(s string) string { return strings.ReplaceAll(s, "$", "$$") }

// replace writes a text with variables for the secrets in it. A text that is secret but has no known
// secret in it (a configured one, or one derived from another) becomes a variable of its own.
func (v *variables) replace(s, service, where string) string {
	if v.hidden[s] && !slices.ContainsFunc(v.order, func(secret string) bool { return strings.Contains(s, secret) }) {
		v.add(s, variableName(service+"_"+where), "the secret "+where)
	}
	out := ""
	for s != "" {
		at, found := len(s), ""
		for _, secret := range v.order {
			if i := strings.Index(s, secret); i >= 0 && i < at {
				at, found = i, secret
			}
		}
		out += escape(s[:at])
		if found == "" {
			break
		}
		name := v.byValue[found]
		out += "${" + name + "}"
		if !slices.Contains(v.users[name], service) {
			v.users[name] = append(v.users[name], service)
		}
		s = s[at+len(found):]
	}
	return out
}

// used lists the variables that the file has, sorted.
func (v *variables) used() []Variable {
	var out []Variable
	for _, name := range slices.Sorted(maps.Keys(v.users)) {
		users := slices.Sorted(slices.Values(v.users[name]))
		out = append(out, Variable{Name: name, About: v.source[name] + ", used by " + strings.Join(users, ", ")})
	}
	return out
}

// leaks makes sure that no secret is in the file after all.
func (v *variables) leaks(file []byte) error {
	for _, secret := range v.order {
		if bytes.Contains(file, []byte(secret)) {
			return errors.New("the secret " + v.byValue[secret] + " would be in the file in plain text: this is a mistake in package compose")
		}
	}
	return nil
}
