package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/deployment"
)

// Preview is what `pulumi preview --json` says.
type Preview struct {
	Stack  string
	Config map[string]string // secrets are "[secret]"
	// Complete says that resources that stay the same are in it too (--show-sames): only then Before
	// and After are the whole stack.
	Complete      bool
	Changes       []Change
	Same          int
	Before, After []deployment.Resource // values that are not known yet are Unknown
	Errors        []string
}

// Unknown is how Pulumi writes a value that is not known before the deployment.
const Unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

type previewStep struct {
	Op       string           `json:"op"`
	URN      string           `json:"urn"`
	Old      *json.RawMessage `json:"oldState"`
	New      *json.RawMessage `json:"newState"`
	Diffs    []string         `json:"diffReasons"`
	Replaces []string         `json:"replaceReasons"`
	Detailed map[string]struct {
		Kind string `json:"kind"`
	} `json:"detailedDiff"`
}

// previewOps are the engine's steps in our words. The parts of a replacement are one.
var previewOps = map[string]string{
	"create": "create", "import": "create", "update": "update", "delete": "delete",
	"replace": "replace", "create-replacement": "replace", "delete-replaced": "replace", "import-replacement": "replace",
}

// ReadPreview reads the output of `pulumi preview --json`.
func ReadPreview(data []byte) (*Preview, error) {
	var file struct {
		Config      map[string]string `json:"config"`
		Steps       []previewStep     `json:"steps"`
		Summary     map[string]int    `json:"changeSummary"`
		Diagnostics []struct {
			URN      string `json:"urn"`
			Message  string `json:"message"`
			Severity string `json:"severity"`
		} `json:"diagnostics"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("reading the preview: %w; want the output of `pulumi preview --json`", err)
	}
	if file.Steps == nil && file.Summary == nil && file.Diagnostics == nil {
		return nil, errors.New("this is no preview: it has neither steps nor a summary; want the output of `pulumi preview --json`")
	}
	out := &Preview{Config: file.Config, Same: file.Summary["same"]}
	changes := map[string]*Change{}
	before, after := states{}, states{}
	same := 0
	for _, s := range file.Steps {
		if s.Op == "same" {
			same++
		}
		for _, side := range []struct {
			raw  *json.RawMessage
			into states
			in   bool
		}{{s.Old, before, true}, {s.New, after, s.Op != "delete" && s.Op != "delete-replaced"}} {
			if side.raw != nil && side.in {
				side.into[s.URN] = *side.raw
			}
		}
		if op, ok := previewOps[s.Op]; ok {
			s.change(changes, op)
		}
	}
	for _, urn := range slices.Sorted(maps.Keys(changes)) {
		out.Changes = append(out.Changes, *changes[urn])
	}
	out.Complete = same > 0 && same >= out.Same
	for _, d := range file.Diagnostics {
		if d.Severity == "error" {
			out.Errors = append(out.Errors, strings.TrimSpace(d.Message))
		}
	}
	var err, err2 error
	out.Before, err = before.read()
	out.After, err2 = after.read()
	for _, r := range slices.Concat(out.After, out.Before) {
		if parts := strings.Split(r.URN, "::"); out.Stack == "" && len(parts) > 3 {
			out.Stack = strings.TrimPrefix(parts[0], "urn:pulumi:")
		}
	}
	return out, errors.Join(err, err2)
}

// change merges a step into what is known of its resource.
func (s *previewStep) change(into map[string]*Change, op string) {
	c := into[s.URN]
	if c == nil {
		typ := ""
		if parts := strings.Split(s.URN, "::"); len(parts) > 3 {
			typ = parts[2][strings.LastIndex(parts[2], "$")+1:]
		}
		c = &Change{URN: s.URN, Type: typ, Name: s.URN[strings.LastIndex(s.URN, "::")+2:], Op: op}
		into[s.URN] = c
	} else if op == "replace" {
		c.Op = op
	}
	for path, d := range s.Detailed {
		c.Properties = append(c.Properties, path)
		if strings.HasSuffix(d.Kind, "-replace") {
			c.Forces = append(c.Forces, path)
		}
	}
	if len(s.Detailed) == 0 {
		c.Properties = append(c.Properties, s.Diffs...)
	}
	if len(c.Forces) == 0 {
		c.Forces = append(c.Forces, s.Replaces...)
	}
	slices.Sort(c.Properties)
	slices.Sort(c.Forces)
	c.Properties, c.Forces = slices.Compact(c.Properties), slices.Compact(c.Forces)
}

// states are resources by URN, as a deployment writes them.
type states map[string]json.RawMessage

func (s states) read() ([]deployment.Resource, error) {
	list := make([]json.RawMessage, 0, len(s))
	for _, urn := range slices.Sorted(maps.Keys(s)) {
		list = append(list, s[urn])
	}
	data, err := json.Marshal(map[string]any{"version": 3, "deployment": map[string]any{"resources": list}})
	if err != nil {
		return nil, err
	}
	out, err := deployment.Read(data)
	slices.SortFunc(out, func(a, b deployment.Resource) int { return cmp.Compare(a.URN, b.URN) })
	for i := range out {
		out[i].Inputs, _ = masked(out[i].Inputs).(map[string]any)
		out[i].Outputs, _ = masked(out[i].Outputs).(map[string]any)
	}
	return out, err
}

// masked makes secrets of what the preview has blinded.
func masked(v any) any {
	switch v := v.(type) {
	case string:
		if v == "[secret]" {
			return deployment.Secret{}
		}
	case map[string]any:
		for k, e := range v {
			v[k] = masked(e)
		}
	case []any:
		for i, e := range v {
			v[i] = masked(e)
		}
	}
	return v
}
