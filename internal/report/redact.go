package report

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/deployment"
)

// shortest is the length from which a secret is looked for in the report. Shorter texts are parts of
// ordinary words, and no generated secret is that short.
const shortest = 8

// Redact replaces every secret of the deployments, wherever it stands in the report. A report shows no
// values, so nothing should ever be found; but messages come from elsewhere, such as a cloud's refusal,
// which may quote what it refuses.
func (r *Report) Redact(deployments ...[]deployment.Resource) {
	secrets := map[string]bool{}
	var known strings.Builder // names and types, which are no secrets even when one happens to be equal
	for _, list := range deployments {
		for _, res := range list {
			known.WriteString(res.URN + "\n")
			for _, values := range []map[string]any{res.Inputs, res.Outputs} {
				for _, text := range deployment.Secrets(values) {
					if len(text) >= shortest {
						secrets[text] = true
					}
				}
			}
		}
	}
	names := known.String()
	var pairs []string
	list := make([]string, 0, len(secrets))
	for text := range secrets {
		if !strings.Contains(names, text) {
			list = append(list, text)
		}
	}
	// Longest first: a secret that contains another one goes as a whole.
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	for _, text := range list {
		pairs = append(pairs, text, "[secret]")
	}
	if len(pairs) > 0 {
		replace(reflect.ValueOf(r).Elem(), strings.NewReplacer(pairs...))
	}
}

// replace goes through every text of the value.
func replace(v reflect.Value, with *strings.Replacer) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(with.Replace(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			replace(v.Elem(), with)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			replace(v.Field(i), with)
		}
	case reflect.Slice:
		for i := range v.Len() {
			replace(v.Index(i), with)
		}
	}
}
