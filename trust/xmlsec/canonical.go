package xmlsec

import (
	"slices"
	"strings"
)

// Canonical returns the exclusive canonical form without comments (Exclusive XML Canonicalization 1.0 §3). Namespaces of the prefixes,
// "#default" for the default one, are treated as inclusive canonicalisation would (the PrefixList of InclusiveNamespaces).
func (e *Element) Canonical(prefixes ...string) []byte { return e.canonical(nil, prefixes) }

// canonical leaves out one element: the signature, for the enveloped transform.
func (e *Element) canonical(without *Element, prefixes []string) []byte {
	c := canonicaliser{out: make([]byte, 0, 4<<10), without: without, prefixes: prefixes}
	c.element(e)
	return c.out
}

type canonicaliser struct {
	out      []byte
	without  *Element
	prefixes []string // those of PrefixList

	rendered []*binding  // declarations in the output, the innermost last
	sorted   []attribute // of one start tag
}

func (c *canonicaliser) element(e *Element) {
	outside := len(c.rendered)
	c.startTag(e)
	c.out = appendEscaped(c.out, e.text, &textEscapes)
	for child := e.first; child != nil; child = child.next {
		if child != c.without {
			c.element(child)
		}
		c.out = appendEscaped(c.out, child.tail, &textEscapes)
	}
	c.endTag(e)
	c.rendered = c.rendered[:outside]
}

func (c *canonicaliser) startTag(e *Element) {
	c.out = append(c.out, '<')
	c.name(e.ns, e.local)
	c.declarations(e)
	c.attributes(e)
	c.out = append(c.out, '>')
}

func (c *canonicaliser) endTag(e *Element) {
	c.out = append(c.out, "</"...)
	c.name(e.ns, e.local)
	c.out = append(c.out, '>')
}

func (c *canonicaliser) name(ns *binding, local string) {
	if ns.prefix != "" {
		c.out = append(append(c.out, ns.prefix...), ':')
	}
	c.out = append(c.out, local...)
}

// declarations writes those that the start tag uses, or that are listed, and that the output does not have in effect already.
func (c *canonicaliser) declarations(e *Element) {
	outside := len(c.rendered)
	c.declare(outside, e.ns)
	for i := range e.attrs {
		if ns := e.attrs[i].ns; ns.prefix != "" {
			c.declare(outside, ns)
		}
	}
	for _, prefix := range c.prefixes {
		if prefix == "#default" {
			prefix = ""
		}
		if b := e.scope.bound(prefix); b != nil {
			c.declare(outside, b)
		}
	}
	added := c.rendered[outside:]
	slices.SortFunc(added, func(a, b *binding) int { return strings.Compare(a.prefix, b.prefix) })
	for _, b := range added {
		c.out = append(c.out, " xmlns"...)
		if b.prefix != "" {
			c.out = append(append(c.out, ':'), b.prefix...)
		}
		c.out = append(c.out, `="`...)
		c.out = appendEscaped(c.out, b.space, &valueEscapes)
		c.out = append(c.out, '"')
	}
}

// declare adds a binding to those rendered, unless it is in effect or was added for this tag.
func (c *canonicaliser) declare(outside int, b *binding) {
	if b == bindingXML {
		return
	}
	for i := len(c.rendered) - 1; i >= 0; i-- {
		if in := c.rendered[i]; in.prefix == b.prefix {
			if in.space == b.space || i >= outside {
				return
			}
			c.rendered = append(c.rendered, b)
			return
		}
	}
	if b.space != "" { // no default namespace is what the output begins with
		c.rendered = append(c.rendered, b)
	}
}

// attributes writes them by namespace, then by local name.
func (c *canonicaliser) attributes(e *Element) {
	c.sorted = append(c.sorted[:0], e.attrs...)
	slices.SortFunc(c.sorted, func(a, b attribute) int {
		if order := strings.Compare(a.ns.space, b.ns.space); order != 0 {
			return order
		}
		return strings.Compare(a.local, b.local)
	})
	for i := range c.sorted {
		a := &c.sorted[i]
		c.out = append(c.out, ' ')
		c.name(a.ns, a.local)
		c.out = append(c.out, `="`...)
		c.out = appendEscaped(c.out, a.value, &valueEscapes)
		c.out = append(c.out, '"')
	}
}

// Canonical XML 1.0 §2.3.
var (
	textEscapes  = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '\r': "&#xD;"}
	valueEscapes = [256]string{'&': "&amp;", '<': "&lt;", '"': "&quot;", '\t': "&#x9;", '\n': "&#xA;", '\r': "&#xD;"}
)

func appendEscaped(out []byte, s string, escapes *[256]string) []byte {
	start := 0
	for i := range len(s) {
		if escape := escapes[s[i]]; escape != "" {
			out = append(append(out, s[start:i]...), escape...)
			start = i + 1
		}
	}
	return append(out, s[start:]...)
}
