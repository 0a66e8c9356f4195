package aws

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"testing"
)

// The rows that runRefusals is given are wrong programs, each next to the right one that it differs from
// in one point. What is counted here is run there.
func TestHowManyMistakesAreRefused(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	rows, types := map[string]bool{}, map[string]int{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "runRefusals" {
				return true
			}
			list, ok := call.Args[1].(*ast.CompositeLit)
			if !ok {
				t.Errorf("%s: the rows of runRefusals are not written where it is called, and cannot be counted", name)
				return true
			}
			for _, e := range list.Elts {
				row, ok := e.(*ast.CompositeLit)
				if !ok || len(row.Elts) < 3 {
					t.Errorf("%s: a row cannot be read", name)
					continue
				}
				kind, about := text(row.Elts[1]), text(row.Elts[0])
				if rows[kind+"\x00"+about] {
					t.Errorf("%s: %s %q is there twice", name, kind, about)
				}
				rows[kind+"\x00"+about] = true
				types[kind]++
			}
			return true
		})
	}
	t.Logf("%d mistakes with %d resource types are refused", len(rows), len(types))
	if len(rows) < 60 {
		t.Errorf("%d mistakes are refused, want 60 or more", len(rows))
	}
}

// text is what a row says: a literal, or a constant by its name.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil {
			return s
		}
	case *ast.Ident:
		return e.Name
	}
	return ""
}
