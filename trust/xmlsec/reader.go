package xmlsec

import (
	"strings"
	"unicode/utf8"
)

// Limits of Parse. They are counted while reading. 255 KB of the costliest shapes within them take less than 1 MB and 3 ms.
const (
	MaxBytes = 1 << 20 // a whole document

	maxDepth      = 32
	maxElements   = 2_500 // a person in a thousand groups fits
	maxAttributes = 3_000 // in all
	maxPerElement = 48    // attributes of one element, which are compared with each other
	maxBindings   = 3_000 // namespace declarations in all; some peers repeat two on every attribute value
	maxInScope    = 64    // namespace declarations around one element
	maxIDs        = 64    // which are compared with each other
	maxName       = 128   // bytes of a prefix or a local part
	maxSpace      = 512   // bytes of a namespace name
)

// Parse reads one document of at most MaxBytes: UTF-8, the XML declaration allowed. It refuses with ErrTooLarge or ErrMalformed whatever
// two readers could see differently, and whatever SAML has no use for; see the faults.
//
// A comment is dropped where it stands among white space, and refused inside other text. A prefix may be bound once, and not be bound
// anew to another namespace inside (the default namespace may). Every attribute named ID, Id or id is an ID, has no prefix,
// and its value is unique in the document.
func Parse(b []byte) (*Element, error) {
	return parse(string(b[:min(len(b), MaxBytes+1)]), nil) // one more is refused there
}

// parse reads a document whose root stands in a scope: nil, or that of what was encrypted.
func parse(src string, scope *binding) (*Element, error) {
	if len(src) > MaxBytes {
		return nil, faultf(ErrTooLarge, "more than %d bytes", MaxBytes)
	}
	r := reader{src: src}
	if err := checkCharacters(src); err != nil {
		return nil, err
	}
	r.pos = len(src) - len(strings.TrimPrefix(src, "\uFEFF")) // a byte order mark is no part of the document: XML 1.0 §4.3.3
	if err := r.declaration(); err != nil {
		return nil, err
	}
	if err := r.misc(); err != nil {
		return nil, err
	}
	root, err := r.element(scope, 1)
	if err != nil {
		return nil, err
	}
	if err := r.misc(); err != nil {
		return nil, err
	}
	if r.pos != len(src) {
		return nil, r.malformed("content after the root element")
	}
	return root, nil
}

// checkCharacters refuses what is not UTF-8, and the two non-characters above ASCII that XML 1.0 §2.2 leaves out. Control
// characters are refused where they are met.
func checkCharacters(src string) error {
	switch {
	case !utf8.ValidString(src):
		return faultf(ErrMalformed, "not UTF-8")
	case strings.Contains(src, "\uFFFE"), strings.Contains(src, "\uFFFF"):
		return faultf(ErrMalformed, "a character that XML does not allow")
	}
	return nil
}

// reader is a single pass over src. Names, and text without references, are substrings of it.
type reader struct {
	src    string
	pos    int
	joined bool // of documents of many origins: a prefix may be bound anew

	elements arena[Element]
	attrs    arena[attribute]
	bindings arena[binding]
	ids      []string
	parts    []part   // of the start tag that is being read
	outside  *binding // the scope around it

	elementCount, attrCount, bindingCount, inScope int
}

func (r *reader) malformed(what string) error {
	return faultf(ErrMalformed, "byte %d: %s", r.pos, what)
}

func (r *reader) tooMany(what string, limit int) error {
	return faultf(ErrTooLarge, "byte %d: more than %d %s", r.pos, limit, what)
}

// next says whether s comes next, and steps over it.
func (r *reader) next(s string) bool {
	if !strings.HasPrefix(r.src[r.pos:], s) {
		return false
	}
	r.pos += len(s)
	return true
}

// peek returns the byte at pos, 0 at the end (which no grammar rule expects).
func (r *reader) peek() byte {
	if r.pos < len(r.src) {
		return r.src[r.pos]
	}
	return 0
}

// space skips white space and says whether there was any.
func (r *reader) space() bool {
	start := r.pos
	for r.pos < len(r.src) && class[r.src[r.pos]]&isSpace != 0 {
		r.pos++
	}
	return r.pos > start
}

// declaration reads the XML declaration (XML 1.0 §2.8), if there is one.
func (r *reader) declaration() error {
	if !r.next("<?xml ") {
		return nil
	}
	end := strings.Index(r.src[r.pos:], "?>")
	if end < 0 || end > 100 {
		return r.malformed("XML declaration without an end")
	}
	words := strings.Fields(strings.ReplaceAll(r.src[r.pos:r.pos+end], "'", `"`))
	if len(words) == 0 || words[0] != `version="1.0"` {
		return r.malformed("XML version is not 1.0")
	}
	words = words[1:]
	if len(words) > 0 && strings.EqualFold(words[0], `encoding="UTF-8"`) {
		words = words[1:]
	}
	if len(words) > 0 && (words[0] == `standalone="yes"` || words[0] == `standalone="no"`) {
		words = words[1:]
	}
	if len(words) > 0 {
		return r.malformed("XML declaration is not version, encoding UTF-8, standalone")
	}
	r.pos += end + len("?>")
	return nil
}

// misc skips white space and comments around the root.
func (r *reader) misc() error {
	for r.space(); r.next("<!--"); r.space() {
		if err := r.comment(); err != nil {
			return err
		}
	}
	if r.pos < len(r.src) && r.src[r.pos] != '<' { // references are text too, whatever they stand for
		return r.malformed("text outside the root element")
	}
	return nil
}

// element reads an element and all below it. Its parent's scope holds outside.
func (r *reader) element(outside *binding, depth int) (*Element, error) {
	if depth > maxDepth {
		return nil, r.tooMany("levels", maxDepth)
	}
	if r.elementCount++; r.elementCount > maxElements {
		return nil, r.tooMany("elements", maxElements)
	}
	inScope := r.inScope
	defer func() { r.inScope = inScope }()

	e := r.elements.one()
	e.scope, r.outside = outside, outside
	name, closed, err := r.startTag(e)
	if err != nil || closed {
		return e, err
	}
	if err := r.content(e, depth); err != nil {
		return nil, err
	}
	if !r.next(name) {
		return nil, r.malformed("end tag has another name than the start tag")
	}
	r.space()
	if !r.next(">") {
		return nil, r.malformed("end tag is not closed")
	}
	return e, nil
}

// content reads text and children up to the name in the end tag.
func (r *reader) content(e *Element, depth int) (err error) {
	if e.text, err = r.text(); err != nil {
		return err
	}
	for last := &e.first; ; {
		switch {
		case r.next("</"):
			return nil
		case r.peek() != '<':
			return r.malformed("an element is not closed")
		}
		child, err := r.element(e.scope, depth+1)
		if err != nil {
			return err
		}
		if child.tail, err = r.text(); err != nil {
			return err
		}
		*last, last = child, &child.next
	}
}
