// Package facts holds what the real providers require, replace, default and compute, per resource
// type. data/README.md says where the facts come from; the files are one line per type, sorted.
package facts

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"
)

//go:embed data/*.jsonl
var files embed.FS

// Schema is what is known of one resource type, or of a provider's configuration
// (token "pulumi:providers:NAME").
type Schema struct {
	Token                string               `json:"-"`
	Inputs               map[string]*Property `json:"inputs"`
	Outputs              []string             `json:"outputs"` // computed only
	OutputTypes          map[string]*Property `json:"outputTypes"`
	AlwaysPresentOutputs []string             `json:"alwaysPresentOutputs"`
	SecretOutputs        []string             `json:"secretOutputs"`
	ConditionalForceNew  map[string]string    `json:"conditionalForceNew"`
	DeleteBeforeReplace  bool                 `json:"deleteBeforeReplace"`
	NoUpdate             bool                 `json:"noUpdate"`
	Native               bool                 `json:"native"`
	Provenance           string               `json:"provenance"`
}

// Property describes one input. See data/README.md for the meaning of each flag.
type Property struct {
	Type          string               `json:"type"`
	ItemType      string               `json:"itemType"`
	Properties    map[string]*Property `json:"properties"`
	Required      bool                 `json:"required"`
	ForceNew      bool                 `json:"forceNew"`
	Default       any                  `json:"default"`
	DefaultEnv    []string             `json:"defaultEnv"`
	Computed      bool                 `json:"computed"`
	Sensitive     bool                 `json:"sensitive"`
	Set           bool                 `json:"set"`
	Flattened     bool                 `json:"flattened"`
	Truncated     bool                 `json:"truncated"`
	MaxItems      int                  `json:"maxItems"`
	MinItems      int                  `json:"minItems"`
	Min           *float64             `json:"min"`
	Max           *float64             `json:"max"`
	MinLength     *int                 `json:"minLength"`
	MaxLength     *int                 `json:"maxLength"`
	ConflictsWith []string             `json:"conflictsWith"`
	ExactlyOneOf  []string             `json:"exactlyOneOf"`
	AtLeastOneOf  []string             `json:"atLeastOneOf"`
	RequiredWith  []string             `json:"requiredWith"`
	AcceptsObject bool                 `json:"acceptsObject"`
	DiffSuppress  bool                 `json:"diffSuppress"`
	StateFunc     bool                 `json:"stateFunc"`
	Unverified    bool                 `json:"unverified"`
	DocForcesNew  bool                 `json:"docForcesNew"`

	AutoName          bool   `json:"autoName"`
	AutoNameMax       int    `json:"autoNameMax"`
	AutoNameSeparator string `json:"autoNameSeparator"`
	AutoNameRandHex   int    `json:"autoNameRandHex"`
	AutoNameTransform string `json:"autoNameTransform"`
	AutoNamePrefix    string `json:"autoNamePrefix"`
	AutoNameSuffixIf  string `json:"autoNameSuffixIf"`
}

// Table gives the facts by type. Lines are decoded when first asked for: most operations touch a
// few dozen types of nearly two hundred.
type Table struct {
	mu      sync.Mutex
	lines   map[string][]byte
	schemas map[string]*Schema
}

// Load returns the table of all embedded facts. It is made once in a process: nothing in it changes.
func Load() (*Table, error) { return load() }

var load = sync.OnceValues(index)

// index finds the line of each type.
func index() (*Table, error) {
	t := &Table{lines: map[string][]byte{}, schemas: map[string]*Schema{}}
	entries, err := files.ReadDir("data")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		data, err := files.ReadFile("data/" + e.Name())
		if err != nil {
			return nil, err
		}
		for n, line := range bytes.Split(data, []byte("\n")) {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			token, _, ok := bytes.Cut(bytes.TrimPrefix(line, []byte(`{"`)), []byte(`":`))
			if !ok {
				return nil, fmt.Errorf("facts: %s line %d does not start with a type token", e.Name(), n+1)
			}
			t.lines[string(token)] = line
		}
	}
	return t, nil
}

// Get returns the facts of a type; ok is false when there are none.
func (t *Table) Get(token string) (s *Schema, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.schemas[token]; s != nil {
		return s, true
	}
	line, ok := t.lines[token]
	if !ok {
		return nil, false
	}
	var one map[string]*Schema
	if err := json.Unmarshal(line, &one); err != nil {
		// The data is part of the program and a test decodes every line.
		panic(fmt.Sprintf("facts: %s: %v", token, err))
	}
	s = one[token]
	s.Token = token
	t.schemas[token] = s
	return s, true
}

// Has tells whether there are facts of a type, without decoding them.
func (t *Table) Has(token string) bool { _, ok := t.lines[token]; return ok }

// Tokens lists the types of a provider ("hcloud"), sorted; all of them when it is empty.
func (t *Table) Tokens(pkg string) []string {
	var out []string
	for token := range t.lines {
		if pkg == "" || strings.HasPrefix(token, pkg+":") {
			out = append(out, token)
		}
	}
	sort.Strings(out)
	return out
}

// Required lists the required inputs, sorted.
func (s *Schema) Required() []string {
	var out []string
	for name, p := range s.Inputs {
		if p.Required {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}
