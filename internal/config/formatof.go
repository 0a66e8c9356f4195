package config

import (
	"reflect"
	"strings"
)

// FormatOf is the name of the format that the text at a key path has to have, such as "https-url" for
// morphee:backups.alertWebhook; "" where any text goes, or there is no such key.
func FormatOf(path string) string {
	at := reflect.TypeFor[Config]()
	format := ""
	for _, part := range strings.Split(strings.TrimPrefix(path, Namespace+":"), ".") {
		if at.Kind() != reflect.Struct {
			return ""
		}
		f, ok := fieldOf(at, part)
		if !ok {
			return ""
		}
		at, format = f.Type, f.Tag.Get("format")
	}
	if at.Kind() == reflect.Map { // the format is that of its keys
		return ""
	}
	return format
}
