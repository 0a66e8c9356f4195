package provider

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
	"github.com/morphee-app/morphee-infra/internal/sim/facts"
)

// fillDefaults completes in as the provider does and returns the names of what it filled in.
func fillDefaults(schema *facts.Schema, in cloud.Object, req plugin.CheckRequest, gen cloud.Gen) ([]string, []cloud.Failure) {
	var filled []string
	var failures []cloud.Failure
	olds, wereDefaults := plainMap(req.Olds), defaultNames(req.Olds)
	names := make([]string, 0, len(schema.Inputs))
	for name := range schema.Inputs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		prop := schema.Inputs[name]
		if in[name] != nil {
			continue
		}
		switch {
		case prop.AutoName:
			// A generated name stays for the resource's life.
			if old, _ := olds[name].(string); old != "" && slices.Contains(wereDefaults, name) {
				in[name] = old
			} else if conflicted(prop, name, in) {
				continue
			} else {
				generated, err := autoName(prop, req.URN, in, gen)
				if err != nil {
					failures = append(failures, cloud.Failure{Property: name, Reason: err.Error()})
					continue
				}
				in[name] = generated
			}
			filled = append(filled, name)
		case prop.Default != nil && !conflicted(prop, name, in):
			in[name] = cloud.Plain(prop.Default)
			filled = append(filled, name)
		}
	}
	return filled, failures
}

// conflicted tells whether filling the property in would break its relation to another.
func conflicted(p *facts.Property, name string, in cloud.Object) bool {
	for _, list := range [][]string{p.ConflictsWith, p.ExactlyOneOf} {
		for _, other := range list {
			if other != name && in.Has(other) {
				return true
			}
		}
	}
	return false
}

// autoName generates a name from the logical one, in the provider's form.
func autoName(p *facts.Property, urn resource.URN, in cloud.Object, gen cloud.Gen) (string, error) {
	name := p.AutoNamePrefix + urn.Name()
	if p.AutoNameTransform == "lower" {
		name = strings.ToLower(name)
	}
	suffix := ""
	if flag, end, ok := strings.Cut(p.AutoNameSuffixIf, ":"); ok && in.Bool(flag) {
		suffix = end
	}
	if p.AutoNameRandHex > 0 {
		name += p.AutoNameSeparator + gen.Hex("autoname", p.AutoNameRandHex)
	}
	name += suffix
	if p.AutoNameMax > 0 && len(name) > p.AutoNameMax {
		return "", fmt.Errorf("the generated name %q has %d characters, at most %d are allowed: "+
			"shorten the resource's name %q or set the name", name, len(name), p.AutoNameMax, urn.Name())
	}
	return name, nil
}

func defaultNames(m resource.PropertyMap) []string {
	var out []string
	v, ok := m[defaultsKey]
	if !ok || !v.IsArray() {
		return nil
	}
	for _, e := range v.ArrayValue() {
		if e.IsString() {
			out = append(out, e.StringValue())
		}
	}
	return out
}

// resolved is what the cloud is asked for: the inputs, with the name that the provider generates from
// a namePrefix (identifierPrefix, bucketPrefix, …). It is no input and not in the inputs that are
// kept; on an update it is the one that the resource got when it was created.
func resolved(schema *facts.Schema, in, out cloud.Object, gen cloud.Gen) cloud.Object {
	full := in.Clone()
	for key := range in {
		name, ok := strings.CutSuffix(key, "Prefix")
		prop := schema.Inputs[name]
		if !ok || prop == nil || !prop.Computed || in[name] != nil {
			continue
		}
		if out != nil {
			full[name] = out[name]
		} else {
			full[name] = in.String(key) + "20260101000000" + gen.Hex(key, 12)
		}
	}
	return full
}
