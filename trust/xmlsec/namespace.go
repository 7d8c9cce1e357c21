package xmlsec

import "strings"

// declare adds a namespace declaration to the scope of e (Namespaces in XML 1.0 §3, §6).
func (r *reader) declare(e *Element, prefix, space string) error {
	if r.bindingCount++; r.bindingCount > maxBindings {
		return r.tooMany("namespace declarations", maxBindings)
	}
	if r.inScope++; r.inScope > maxInScope {
		return r.tooMany("namespace declarations in scope", maxInScope)
	}
	switch {
	case prefix == "xml", prefix == "xmlns", space == spaceXML, space == spaceXMLNS:
		return r.malformed("xml and xmlns cannot be bound")
	case space == "" && prefix != "":
		return r.malformed("a prefix is bound to no namespace")
	case len(space) > maxSpace:
		return faultf(ErrTooLarge, "byte %d: namespace of more than %d bytes", r.pos, maxSpace)
	case space != "" && !isURI(space):
		return r.malformed("a namespace is not an absolute URI")
	}
	for b := e.scope; b != r.outside; b = b.outer {
		if b.prefix == prefix {
			return r.malformed("a prefix is declared twice on one element")
		}
	}
	if b := r.outside.lookup(prefix); b != nil && prefix != "" && b.space != space && !r.joined {
		return r.malformed("a prefix is bound anew to another namespace")
	}
	b := r.bindings.one()
	*b = binding{prefix, space, e.scope}
	e.scope = b
	return nil
}

// isURI says whether s has a scheme and, after it, only characters of RFC 3986 §2 less %, & and brackets. Canonical XML 1.0 §1.3 leaves
// relative namespaces undefined and libxml2 refuses to canonicalise them; it writes & without escape.
func isURI(s string) bool {
	scheme, rest, found := strings.Cut(s, ":")
	return found && scheme != "" && class[scheme[0]]&isLetter != 0 && isOf(scheme, "+") && !strings.Contains(scheme, "_") &&
		rest != "" && isOf(rest, "~:/?#@!$'()*+,;=") && strings.Count(rest, "#") <= 1
}

// isOf says whether s holds letters, digits, "-", ".", "_" and the others only.
func isOf(s, others string) bool {
	for i := range len(s) {
		if class[s[i]]&isInName == 0 && strings.IndexByte(others, s[i]) < 0 {
			return false
		}
	}
	return true
}
