package recorder

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const stackType = string(resource.RootStackType)

// Must is Find that ends the test when there is no such resource.
func Must(t testing.TB, list []Resource, typ, name string) Resource {
	t.Helper()
	r, err := Find(list, typ, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Expect compares inputs at dotted paths (Resource.Input). nil is for one that is absent; a number on its
// own may be written as an int.
func Expect(t testing.TB, r Resource, want map[string]any) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		w := want[path]
		if i, isInt := w.(int); isInt {
			w = float64(i)
		}
		if got := r.Input(path); !reflect.DeepEqual(got, w) {
			t.Errorf("%s %s: %s = %v (%T), want %v", r.Type, r.Name, path, got, got, w)
		}
	}
}

// ExpectCounts compares how many of each type were registered, exactly.
func ExpectCounts(t testing.TB, list []Resource, want map[string]int) {
	t.Helper()
	got := Count(list)
	delete(got, stackType)
	for _, typ := range slices.Sorted(maps.Keys(got)) {
		if got[typ] != want[typ] {
			t.Errorf("%d of %s, want %d", got[typ], typ, want[typ])
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(want)) {
		if got[typ] == 0 && want[typ] != 0 {
			t.Errorf("none of %s, want %d", typ, want[typ])
		}
	}
}

// Refuses runs a program that must fail with an error that holds the text, before it registers
// anything, and returns the error.
func (rec *Recorder) Refuses(t testing.TB, want string, program pulumi.RunFunc) error {
	t.Helper()
	list, err := rec.Run(program)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("want an error with %q, got %v", want, err)
	}
	for _, r := range list {
		if r.Type != stackType {
			t.Errorf("%s: %s %s was registered all the same", want, r.Type, r.Name)
		}
	}
	return err
}

// Refuses is as Recorder.Refuses, under a recorder without special outputs.
func Refuses(t testing.TB, want string, program pulumi.RunFunc) error {
	t.Helper()
	return new(Recorder).Refuses(t, want, program)
}

// PlainText is every string in the value that is outside a secret, each on its own line.
func PlainText(v resource.PropertyValue) string {
	switch {
	case v.IsOutput():
		if o := v.OutputValue(); !o.Secret {
			return PlainText(o.Element)
		}
	case v.IsArray():
		var b strings.Builder
		for _, e := range v.ArrayValue() {
			b.WriteString(PlainText(e))
		}
		return b.String()
	case v.IsObject():
		var b strings.Builder
		for _, k := range v.ObjectValue().StableKeys() {
			b.WriteString(PlainText(v.ObjectValue()[k]))
		}
		return b.String()
	case v.IsString():
		return v.StringValue() + "\n"
	}
	return "" // a secret, too
}
