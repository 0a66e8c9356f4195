package provider

import (
	"encoding/json"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// defaultsKey is where bridged providers note which inputs they filled in themselves.
const defaultsKey = "__defaults"

// plainValue turns a property value into what rules see: secrets and outputs unwrapped, unknowns as
// cloud.Unknown, assets and archives as their hash.
func plainValue(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return plainValue(v.SecretValue().Element)
	case v.IsOutput():
		if o := v.OutputValue(); o.Known {
			return plainValue(o.Element)
		}
		return cloud.Unknown
	case v.IsComputed():
		return cloud.Unknown
	case v.IsArray():
		out := make([]any, 0, len(v.ArrayValue()))
		for _, e := range v.ArrayValue() {
			out = append(out, plainValue(e))
		}
		return out
	case v.IsObject():
		return plainMap(v.ObjectValue())
	case v.IsAsset():
		return "asset:" + v.AssetValue().Hash
	case v.IsArchive():
		return "archive:" + v.ArchiveValue().Hash
	case v.IsResourceReference():
		return plainValue(v.ResourceReferenceValue().ID)
	case v.IsNull():
		return nil
	default:
		return v.V
	}
}

// plainMap is plainValue for a whole property map, without nulls and without the bridge's own key.
func plainMap(m resource.PropertyMap) cloud.Object {
	out := make(cloud.Object, len(m))
	for k, v := range m {
		if k == defaultsKey {
			continue
		}
		if p := plainValue(v); p != nil {
			out[string(k)] = p
		}
	}
	return out
}

// propertyValue is the way back from plainValue.
func propertyValue(v any) resource.PropertyValue {
	switch v := v.(type) {
	case []any:
		out := make([]resource.PropertyValue, 0, len(v))
		for _, e := range v {
			out = append(out, propertyValue(e))
		}
		return resource.NewProperty(out)
	case cloud.Object:
		out := make(resource.PropertyMap, len(v))
		for k, e := range v {
			out[resource.PropertyKey(k)] = propertyValue(e)
		}
		return resource.NewProperty(out)
	}
	if cloud.IsUnknown(v) {
		return resource.MakeComputed(resource.NewProperty(""))
	}
	return resource.NewPropertyValue(v)
}

// secretKeys lists the top-level properties that are secret or have a secret somewhere inside.
func secretKeys(m resource.PropertyMap) []string {
	var out []string
	for k, v := range m {
		if v.ContainsSecrets() {
			out = append(out, string(k))
		}
	}
	slices.Sort(out)
	return out
}

// same tells whether plainValue(v) equals plain, without making it.
func same(v resource.PropertyValue, plain any) bool {
	switch {
	case v.IsSecret():
		return same(v.SecretValue().Element, plain)
	case v.IsArray():
		list, ok := plain.([]any)
		if !ok || len(list) != len(v.ArrayValue()) {
			return false
		}
		for i, e := range v.ArrayValue() {
			if !same(e, list[i]) {
				return false
			}
		}
		return true
	case v.IsObject():
		o, ok := plain.(cloud.Object)
		if !ok {
			return false
		}
		n := 0
		for k, e := range v.ObjectValue() {
			p, there := o[string(k)]
			if !there && (k == defaultsKey || plainValue(e) == nil) {
				continue // plainMap leaves these out
			}
			if !there || !same(e, p) {
				return false
			}
			n++
		}
		return n == len(o)
	case v.IsString(), v.IsBool(), v.IsNumber():
		return v.V == plain
	}
	return cloud.Equal(plainValue(v), plain)
}

// propertyMap writes plain properties as property values. A value that equals the one in like (which
// has normal values) is taken from there as it is, so that a secret deep inside a list stays exactly
// where it was. What changed but is secret in like, or is named in secrets, becomes wholly secret: too
// much hidden is harmless, too little is not.
func propertyMap(plain cloud.Object, secrets []string, like ...resource.PropertyMap) resource.PropertyMap {
	out := make(resource.PropertyMap, len(plain))
	for k, v := range plain {
		key := resource.PropertyKey(k)
		secret := slices.Contains(secrets, k)
		var value resource.PropertyValue
		found := false
		for _, m := range like {
			have, ok := m[key]
			if !ok {
				continue
			}
			if same(have, v) {
				value, found = have, true
				break
			}
			secret = secret || have.ContainsSecrets()
		}
		if !found {
			value = propertyValue(v)
		}
		if secret && !value.ContainsSecrets() {
			value = resource.MakeSecret(value)
		}
		out[key] = value
	}
	return out
}

// normal replaces output values by what they carry, as they are replaced on the wire.
func normal(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsOutput():
		o := v.OutputValue()
		inner := resource.MakeComputed(resource.NewProperty(""))
		if o.Known {
			inner = normal(o.Element)
		}
		if o.Secret {
			return resource.MakeSecret(inner)
		}
		return inner
	case v.IsSecret():
		inner := normal(v.SecretValue().Element)
		if inner.IsSecret() {
			return inner
		}
		return resource.MakeSecret(inner)
	case v.IsArray():
		out := make([]resource.PropertyValue, 0, len(v.ArrayValue()))
		for _, e := range v.ArrayValue() {
			out = append(out, normal(e))
		}
		return resource.NewProperty(out)
	case v.IsObject():
		return resource.NewProperty(normalMap(v.ObjectValue()))
	}
	return v
}

func normalMap(m resource.PropertyMap) resource.PropertyMap {
	out := make(resource.PropertyMap, len(m))
	for k, v := range m {
		out[k] = normal(v)
	}
	return out
}

// canonicalJSON rewrites JSON text so that two spellings of one document are equal; other text, and
// text that is not a document, stays as it is.
func canonicalJSON(s string) string {
	if s == "" || (s[0] != '{' && s[0] != '[') {
		return s
	}
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		return s
	}
	out, err := json.Marshal(v)
	if err != nil {
		return s
	}
	return string(out)
}
