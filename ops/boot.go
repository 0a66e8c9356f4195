package ops

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"text/template"
)

//go:embed boot cloud-init postgres
var shipped embed.FS

// maxUserData is Hetzner's limit in bytes.
const maxUserData = 32 * 1024

// Boot is what every server is told at first boot.
type Boot struct {
	Hostname       string
	User           string   // the one account that may log in
	AuthorizedKeys []string // OpenSSH's one-line form
	SSHPort        int
	VolumeID       string // Hetzner's number of the data volume
	Timezone       string
	RebootTime     string // "HH:MM" in Timezone; empty: never restart by itself
}

// file is one entry of write_files.
type file struct{ Path, Mode, Content string }

// userData renders the template with a host's own settings, the files given, and those whose Content
// names a file of ours.
func userData(name string, host any, given, named []file) (string, error) {
	for _, f := range named {
		content, err := render(f.Content, host)
		if err != nil {
			return "", err
		}
		given = append(given, file{f.Path, f.Mode, content})
	}
	out, err := render(name, struct {
		Host  any
		Files []file
	}{host, given})
	if err != nil {
		return "", err
	}
	if len(out) > maxUserData {
		return "", fmt.Errorf("user data is %d bytes, Hetzner takes %d: authorize fewer keys at bootstrap", len(out), maxUserData)
	}
	return out, nil
}

// templateFuncs are what every template may use.
var templateFuncs = template.FuncMap{
	// JSON strings are YAML strings: no value can break out of its place.
	"json": func(v any) (string, error) { b, err := json.Marshal(v); return string(b), err },
	"indent": func(n int, s string) string {
		lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
		for i, l := range lines {
			if l != "" {
				lines[i] = strings.Repeat(" ", n) + l
			}
		}
		return strings.Join(lines, "\n")
	},
}

// render renders a template, puts a script together, or returns a file that is neither.
func render(name string, data any) (string, error) {
	b, err := shipped.ReadFile(name)
	text := string(b)
	switch {
	case err != nil:
		return "", err
	case path.Ext(name) == ".sh":
		return complete(text)
	case path.Ext(name) != ".tmpl":
		return text, nil
	}
	t, err := template.New(name).Option("missingkey=error").Funcs(templateFuncs).Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		return "", err
	}
	return out.String(), nil
}

// complete puts the beginning that a script sources from ops/boot in its place: one file is shipped.
// What is above the beginning's first empty line is for readers of the repository.
func complete(script string) (string, error) {
	const mark = "# shellcheck source=ops/boot/"
	before, rest, found := strings.Cut(script, mark)
	if !found {
		return script, nil
	}
	name, rest, _ := strings.Cut(rest, "\n")
	after, found := strings.CutPrefix(rest, ". ops/boot/"+name+"\n")
	if !found {
		return "", fmt.Errorf("%s%s stands alone: source the file in the next line", mark, name)
	}
	beginning, err := shipped.ReadFile("boot/" + name)
	if err != nil {
		return "", err
	}
	_, body, _ := strings.Cut(string(beginning), "\n\n")
	return before + body + after, nil
}

// readyScript is the folder's ready.sh, with what is waited for called by its names.
func readyScript(folder, machine, place string) string {
	script, err := render(folder+"/ready.sh", nil)
	if err != nil {
		panic(err) // the files are part of the program
	}
	return strings.NewReplacer("MACHINE", machine, "PLACE", place).Replace(script)
}
