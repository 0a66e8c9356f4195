package config

import (
	"encoding/json"
	"fmt"
)

// masked is what a secret looks like wherever it is printed.
const masked = "[secret]"

// Secret is a value that must not be shown. However it is printed or marshalled it reads
// [secret]; only Reveal gives the value, and only package stacks has a reason to call it.
type Secret struct {
	value string
	set   bool
}

// NewSecret returns a secret with the given value.
func NewSecret(value string) Secret { return Secret{value: value, set: true} }

// IsSet says whether the secret is in the configuration. It is, with an empty value, when the
// configuration was read from a file without the key to open it.
func (s Secret) IsSet() bool { return s.set }

// Reveal returns the plain value. Make it a Pulumi secret before anything else sees it.
func (s Secret) Reveal() string { return s.value }

// String hides the value.
func (s Secret) String() string {
	if !s.set {
		return ""
	}
	return masked
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return "config.Secret(" + s.String() + ")" }

// Format hides the value from every other verb of package fmt.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		_, _ = f.Write([]byte(s.GoString()))
		return
	}
	_, _ = f.Write([]byte(s.String()))
}

// MarshalJSON hides the value.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalYAML hides the value.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
