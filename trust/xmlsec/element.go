package xmlsec

import (
	"iter"
	"strings"
)

// Name is an expanded name: a namespace, "" for none, and a local part. Prefixes mean nothing.
type Name struct{ Space, Local string }

// Namespaces this package knows.
const (
	spaceXML   = "http://www.w3.org/XML/1998/namespace"
	spaceXMLNS = "http://www.w3.org/2000/xmlns/"
	spaceDSig  = "http://www.w3.org/2000/09/xmldsig#"
	spaceEnc   = "http://www.w3.org/2001/04/xmlenc#"
	spaceEnc11 = "http://www.w3.org/2009/xmlenc11#"
)

// Element is an element of a tree that nobody can change. It knows its content, not its parent. Its strings share the memory of the
// whole text that was read; clone those that are kept for long.
type Element struct {
	local string
	ns    *binding // of the element's own name
	scope *binding // the innermost of the bindings in scope
	attrs []attribute

	text        string   // up to the first child or the end
	first, next *Element // child, sibling
	tail        string   // text between the end of this element and what follows it in its parent
}

// attribute is never a namespace declaration; those are bindings.
type attribute struct {
	local string
	ns    *binding
	value string
}

// binding binds a prefix, "" for the default, to a namespace, "" for none.
type binding struct {
	prefix, space string
	outer         *binding
}

var (
	unbound    = &binding{}
	bindingXML = &binding{prefix: "xml", space: spaceXML}
)

// lookup finds what a prefix is bound to; nil if to nothing.
func (b *binding) lookup(prefix string) *binding {
	for ; b != nil; b = b.outer {
		if b.prefix == prefix {
			return b
		}
	}
	return nil
}

// bound returns what a prefix is bound to, with what is bound without declaration: xml, and no namespace by default.
func (b *binding) bound(prefix string) *binding {
	if prefix == "xml" {
		return bindingXML
	}
	if found := b.lookup(prefix); found != nil || prefix != "" {
		return found
	}
	return unbound
}

// Name returns the expanded name.
func (e *Element) Name() Name { return Name{e.ns.space, e.local} }

// Is says whether the element has the name.
func (e *Element) Is(n Name) bool { return e.local == n.Local && e.ns.space == n.Space }

// Attr returns the value of an attribute without namespace, as nearly all of SAML's are.
func (e *Element) Attr(local string) (value string, ok bool) { return e.AttrNS(Name{"", local}) }

// AttrNS returns the value of an attribute.
func (e *Element) AttrNS(n Name) (value string, ok bool) {
	for i := range e.attrs {
		if a := &e.attrs[i]; a.local == n.Local && a.ns.space == n.Space {
			return a.value, true
		}
	}
	return "", false
}

// Attrs yields the attributes in the order of the document, without namespace declarations.
func (e *Element) Attrs() iter.Seq2[Name, string] {
	return func(yield func(Name, string) bool) {
		for _, a := range e.attrs {
			if !yield(Name{a.ns.space, a.local}, a.value) {
				return
			}
		}
	}
}

// Children yields the child elements in order.
func (e *Element) Children() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		for c := e.first; c != nil; c = c.next {
			if !yield(c) {
				return
			}
		}
	}
}

// Text returns the character data of an element without child elements; ok is false if it has any. It is the whole text: nothing in
// a document can split it. White space is kept.
func (e *Element) Text() (text string, ok bool) { return e.text, e.first == nil }

// Spaced says whether the element holds nothing but elements and white space, as all of SAML's structures do.
func (e *Element) Spaced() bool {
	if !blank(e.text) {
		return false
	}
	for c := e.first; c != nil; c = c.next {
		if !blank(c.tail) {
			return false
		}
	}
	return true
}

// QName resolves a value such as that of xsi:type in the scope of the element; ok is false if the prefix is not bound.
func (e *Element) QName(value string) (n Name, ok bool) {
	prefix, local, prefixed := strings.Cut(value, ":")
	if !prefixed {
		prefix, local = "", value
	}
	b := e.scope.bound(prefix)
	if b == nil || local == "" || prefixed && prefix == "" {
		return Name{}, false
	}
	return Name{b.space, local}, true
}

// Walk yields the element and all below it, in the order of their start tags.
func (e *Element) Walk() iter.Seq[*Element] {
	return func(yield func(*Element) bool) { e.walk(yield) }
}

func (e *Element) walk(yield func(*Element) bool) bool {
	if !yield(e) {
		return false
	}
	for c := e.first; c != nil; c = c.next {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}

// blank says whether there is nothing but white space.
func blank(s string) bool { return strings.Trim(s, " \t\n\r") == "" }
