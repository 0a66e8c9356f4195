package configdoc

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/morphee-app/morphee-infra/internal/config"
)

const intro = `# Configuration

<!-- Generated from internal/config by go run ./cmd/gen-config-docs. Do not edit. -->

A stack's configuration is its ` + "`Pulumi.STACK.yaml`" + `, an ordinary Pulumi stack file. Every key below
is in the namespace ` + "`morphee:`" + `. Ready configurations for each phase are in ` + "`stacks/examples/`" + `.

` + "```yaml" + `
config:
  morphee:phase: 1
  morphee:owner: platform
  morphee:server:
    type: cpx31
    volumeSizeGiB: 40
` + "```" + `

- The whole configuration is checked before anything is created, and every problem is reported at
  once. Unknown keys are errors.
- A key that is absent, or ` + "`null`" + `, has its default.
- A secret must be encrypted. This sets one:
  ` + "`pulumi config set --secret --path 'morphee:auth.smtp.password'`" + `.
- "Replaces" says what changing the key of a living stack replaces. Where it says nothing, the
  change is made in place. What holds data is protected, so that a replacement is refused.
- Other keys may be encrypted as well; messages then do not show their values.

`

// Markdown is the reference page.
func Markdown() (string, error) {
	model, err := Model()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(intro)
	writeContents(&b, model)
	b.WriteString("## General\n\n")
	for _, e := range model {
		if len(e.Children) == 0 {
			writeEntry(&b, e)
		}
	}
	for _, e := range model {
		if len(e.Children) > 0 {
			fmt.Fprintf(&b, "## %s\n\n%s\n\n", e.Key, e.Doc)
			if example := sample(e); example != "" {
				fmt.Fprintf(&b, "```yaml\n%s```\n\n", example)
			}
			if e.Type == "objects" {
				writeEntry(&b, e)
			}
			writeChildren(&b, e)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n", nil
}

func writeContents(b *strings.Builder, model []Entry) {
	b.WriteString("| group | what it is about |\n|---|---|\n| [general](#general) | phase, names, tags and other single keys |\n")
	for _, e := range model {
		if len(e.Children) > 0 {
			fmt.Fprintf(b, "| [%s](#%s) | %s |\n", e.Key, strings.ToLower(e.Key), e.Doc)
		}
	}
	b.WriteString("\n")
}

func writeChildren(b *strings.Builder, group Entry) {
	for _, e := range group.Children {
		if len(e.Children) == 0 {
			writeEntry(b, e)
			continue
		}
		if e.Type == "objects" {
			writeEntry(b, e)
			writeChildren(b, e)
			continue
		}
		fmt.Fprintf(b, "### %s\n\n%s\n\n", e.Path, e.Doc)
		writeChildren(b, e)
	}
}

func writeEntry(b *strings.Builder, e Entry) {
	fmt.Fprintf(b, "#### `%s`\n\n%s\n\n", e.Path, e.Doc)
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(b, "- %s: %s\n", name, text)
		}
	}
	row("type", typeWords(e))
	row("required", e.Required)
	switch {
	case e.Derived != "":
		row("default", e.Derived)
	case e.Default != nil:
		row("default", "`"+inline(e.Default)+"`")
	}
	if allowed := e.Allowed; allowed != "" && e.Type != "boolean" {
		row("allowed", allowed)
	}
	if n := e.Field.Tag.Get("max"); n != "" && (e.Type == "list" || e.Type == "objects" || e.Type == "map" || e.Type == "secrets") {
		row("entries", "at most "+n)
	}
	row("empty", e.Empty)
	row("replaces", e.Replaces)
	if e.Example != nil {
		row("example", "`"+inline(e.Example)+"`")
	}
	b.WriteString("\n")
}

func typeWords(e Entry) string {
	words := map[string]string{"list": "list of texts", "objects": "list of maps with the keys below", "map": "map of texts", "secrets": "map of secrets",
		"string": "text", "integer": "whole number", "boolean": "true or false"}[e.Type]
	if words == "" {
		words = e.Type
	}
	if e.Unit != "" {
		words += " (" + e.Unit + ")"
	}
	return words
}

// sample shows how the group looks in a stack file, with up to four of its own keys.
func sample(group Entry) string {
	keys := yaml.Node{Kind: yaml.MappingNode}
	for _, e := range group.Children {
		value := e.Default
		if e.Example != nil {
			value = e.Example
		}
		if value == nil || len(e.Children) > 0 || len(keys.Content) >= 8 {
			continue
		}
		var k, v yaml.Node
		k.SetString(e.Key)
		if v.Encode(value) == nil {
			v.Style |= yaml.FlowStyle
			keys.Content = append(keys.Content, &k, &v)
		}
	}
	if len(keys.Content) == 0 {
		return ""
	}
	root := yaml.Node{Kind: yaml.MappingNode}
	var name yaml.Node
	name.SetString(config.Namespace + ":" + group.Key)
	value := &keys
	if group.Type == "objects" {
		value = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{&keys}}
	}
	root.Content = []*yaml.Node{&name, value}
	return encode(&root)
}

func encode(v any) string {
	var b strings.Builder
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return ""
	}
	return b.String()
}

// inline is a value as YAML on one line.
func inline(v any) string {
	var n yaml.Node
	if err := n.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	n.Style |= yaml.FlowStyle
	return strings.TrimSpace(strings.ReplaceAll(encode(&n), "\n", " "))
}
