package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// Drift is a change made to the world behind Pulumi's back.
type Drift struct {
	Match    string // pattern on TYPE::NAME, as for faults
	Property string // top-level property to change; "" deletes the resource
	Value    any
}

// ParseDrift reads "PATTERN:property=value" (the value is JSON, or else text) or "PATTERN:delete".
func ParseDrift(text string) (Drift, error) {
	usage := fmt.Errorf("--drift %q: want 'TYPE::NAME:property=value' or 'TYPE::NAME:delete', "+
		"such as 'hcloud:index/server:Server::*:labels={\"a\":\"b\"}'", text)
	if match, ok := strings.CutSuffix(text, ":delete"); ok {
		if match == "" {
			return Drift{}, usage
		}
		return Drift{Match: match}, nil
	}
	left, value, ok := strings.Cut(text, "=")
	i := strings.LastIndex(left, ":")
	if !ok || i <= 0 || i == len(left)-1 {
		return Drift{}, usage
	}
	d := Drift{Match: left[:i], Property: left[i+1:]}
	if err := json.Unmarshal([]byte(value), &d.Value); err != nil {
		d.Value = value
	}
	d.Value = cloud.Plain(d.Value)
	return d, nil
}

func applyDrift(w *cloud.World, list []Drift) error {
	w.Lock()
	defer w.Unlock()
	var errs []error
	for _, d := range list {
		hit := 0
		for _, r := range w.All("", "") {
			if !provider.Match(d.Match, r.Type, urnName(r.URN)) {
				continue
			}
			hit++
			if d.Property == "" {
				w.Remove(r.Scope, r.Type, r.ID)
				continue
			}
			changed := *r
			changed.In, changed.Out = r.In.Clone(), r.Out.Clone()
			if _, isInput := changed.In[d.Property]; isInput || changed.Out[d.Property] == nil {
				changed.In[d.Property] = d.Value
			}
			changed.Out[d.Property] = d.Value
			w.Put(&changed)
		}
		if hit == 0 {
			errs = append(errs, fmt.Errorf("--drift %q matches nothing in the simulated world", d.Match))
		}
	}
	return errors.Join(errs...)
}

func urnName(urn string) string {
	if i := strings.LastIndex(urn, "::"); i >= 0 {
		return urn[i+2:]
	}
	return urn
}
