package xmlsec

import "strings"

// part is an attribute as written, before its prefix is resolved.
type part struct{ prefix, local, value string }

// startTag reads a start tag. It returns the name as written, for the end tag to match, and whether the element ends with the tag.
func (r *reader) startTag(e *Element) (name string, closed bool, err error) {
	if !r.next("<") {
		return "", false, r.malformed("expected an element")
	}
	start := r.pos
	prefix, local, err := r.qname()
	if err != nil {
		return "", false, err
	}
	name = r.src[start:r.pos]
	r.parts = r.parts[:0]
	for {
		spaced := r.space()
		switch {
		case r.next("/>"):
			return name, true, r.resolve(e, prefix, local)
		case r.next(">"):
			return name, false, r.resolve(e, prefix, local)
		case !spaced:
			return "", false, r.malformed("expected white space or the end of the tag")
		}
		if err := r.attribute(e); err != nil {
			return "", false, err
		}
	}
}

// attribute reads an attribute into r.parts, or a namespace declaration into the scope of e.
func (r *reader) attribute(e *Element) error {
	prefix, local, err := r.qname()
	if err != nil {
		return err
	}
	r.space()
	if !r.next("=") {
		return r.malformed("expected =")
	}
	r.space()
	value, err := r.attributeValue()
	if err != nil {
		return err
	}
	switch {
	case prefix == "xmlns":
		return r.declare(e, local, value)
	case prefix == "" && local == "xmlns":
		return r.declare(e, "", value)
	case len(r.parts) == maxPerElement:
		return r.tooMany("attributes of one element", maxPerElement)
	}
	if r.attrCount++; r.attrCount > maxAttributes {
		return r.tooMany("attributes", maxAttributes)
	}
	r.parts = append(r.parts, part{prefix, local, value})
	return nil
}

// resolve looks up the prefixes of a start tag and refuses an attribute that comes twice (Namespaces in XML 1.0 §6.3).
func (r *reader) resolve(e *Element, prefix, local string) error {
	e.local = local
	if local == "xmlns" { // only the default declaration has this name
		return r.malformed("an element is called xmlns")
	}
	if e.ns = e.scope.bound(prefix); e.ns == nil {
		return r.malformed("the prefix of an element is not declared")
	}
	if len(r.parts) == 0 {
		return nil
	}
	e.attrs = r.attrs.take(len(r.parts))
	identified := false
	for i, p := range r.parts {
		ns := unbound // the default namespace does not apply to attributes
		if p.prefix != "" {
			ns = e.scope.bound(p.prefix)
		}
		if ns == nil || p.local == "xmlns" {
			return r.malformed("the prefix of an attribute is not declared, or its name is xmlns")
		}
		for _, a := range e.attrs[:i] {
			if a.local == p.local && a.ns.space == ns.space {
				return r.malformed("an attribute comes twice")
			}
		}
		if strings.EqualFold(p.local, "id") {
			if identified || p.prefix != "" {
				return r.malformed("an element has two IDs, or one with a prefix")
			}
			identified = true
			if err := r.identify(p.value); err != nil {
				return err
			}
		}
		e.attrs[i] = attribute{p.local, ns, p.value}
	}
	return nil
}

// identify takes note of an ID.
func (r *reader) identify(id string) error {
	if id == "" {
		return r.malformed("an ID is empty")
	}
	for _, other := range r.ids {
		if other == id {
			return r.malformed("an ID comes twice")
		}
	}
	if len(r.ids) == maxIDs {
		return r.tooMany("IDs", maxIDs)
	}
	r.ids = append(r.ids, id)
	return nil
}
