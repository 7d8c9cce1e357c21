package xmlsec

import (
	"slices"
	"testing"
)

func TestWhatAnElementTells(t *testing.T) {
	t.Parallel()
	e := read(t, `<p:a xmlns:p="urn:p" xmlns="urn:d" xmlns:xs="urn:xs" b="1" p:b="2"> <c> x </c> <d><e/>y</d> </p:a>`)
	if e.Name() != (Name{"urn:p", "a"}) {
		t.Errorf("name %v", e.Name())
	}
	if v, ok := e.Attr("b"); v != "1" || !ok {
		t.Errorf("attribute without namespace %q, %v", v, ok)
	}
	if v, ok := e.AttrNS(Name{"urn:p", "b"}); v != "2" || !ok {
		t.Errorf("attribute with namespace %q, %v", v, ok)
	}
	if v, ok := e.AttrNS(Name{"urn:d", "b"}); ok {
		t.Errorf("the default namespace applies to an attribute: %q", v)
	}
	var names []string
	for n, v := range e.Attrs() {
		names = append(names, n.Space+" "+n.Local+" "+v)
	}
	if want := []string{" b 1", "urn:p b 2"}; !slices.Equal(names, want) {
		t.Errorf("attributes %q, want %q: declarations are none", names, want)
	}
	var children []*Element
	for c := range e.Children() {
		children = append(children, c)
	}
	if len(children) != 2 || !children[0].Is(Name{"urn:d", "c"}) {
		t.Fatalf("children %v", children)
	}
	if text, ok := children[0].Text(); text != " x " || !ok {
		t.Errorf("text %q, %v", text, ok)
	}
	if _, ok := children[1].Text(); ok {
		t.Error("an element with children has a text")
	}
	if !e.Spaced() || children[0].Spaced() || children[1].Spaced() {
		t.Error("Spaced takes text for white space, or white space for text")
	}
	for value, want := range map[string]Name{"xs:string": {"urn:xs", "string"}, "string": {"urn:d", "string"}, "xml:lang": {spaceXML, "lang"}} {
		if n, ok := children[0].QName(value); n != want || !ok {
			t.Errorf("QName(%s) is %v, %v", value, n, ok)
		}
	}
	for _, value := range []string{"", "other:string", "xs:", ":string"} {
		if n, ok := children[0].QName(value); ok {
			t.Errorf("QName(%q) is %v", value, n)
		}
	}
	for range e.Walk() {
		break // stops without a panic
	}
}
