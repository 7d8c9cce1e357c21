package xmlsec

import (
	"crypto"
	"crypto/subtle"
	"errors"
	"hash"
	"io"
	"strings"
)

// Sink is told what VerifyStream reads. Nothing of it counts unless VerifyStream returns without error: stage it, and publish it then. An
// error of a Sink ends the reading and is returned. Strings of an element share the memory of its text; clone what is kept.
type Sink interface {
	// Begin is called with the root, of which only name and attributes are there. It is called a second time if the document has to be
	// read anew: whatever was staged before MUST be dropped.
	Begin(root *Element) error
	// Child is called with each child of the root but the signature, in order.
	Child(child *Element) error
}

// VerifyStream reads a signed document of any size, such as the metadata of a federation, and checks its signature as Verify does, in one pass: a
// second one is needed if the signature is not the first child and has a PrefixList or a digest other than SHA-256. It holds one child
// of the root at a time; each may have MaxBytes and is read as Parse would, but for a prefix bound anew, which those who join
// metadata of many origins leave in. The root holds elements and white space only.
//
// A signature that comes first is checked before anything else is read; its digest at the end. What is digested is the canonical form of the
// very elements that the Sink is given.
func VerifyStream(in io.ReadSeeker, keys []crypto.PublicKey, sink Sink) error {
	s := stream{keys: keys, sink: sink}
	err := s.pass(in)
	if errors.Is(err, errAgain) {
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return err
		}
		err = s.pass(in)
	}
	return err
}

// errAgain asks for a second pass, with the signature known.
var errAgain = errors.New("the signature asks for another digest")

// assumed is what a signature that has not come yet is taken to ask for.
var assumed = &signature{digest: crypto.SHA256}

type stream struct {
	keys  []crypto.PublicKey
	sink  Sink
	known *signature // from the first pass

	window
	root      *Element
	name, id  string     // of the root
	inScope   int        // declarations on the root
	signature *signature // once it was met
	digests   *signature // what is digested for; nil before the root is written
	before    string     // text before the first child
	out       canonicaliser
	hash      hash.Hash
}

// pass reads the document once.
func (s *stream) pass(in io.Reader) error {
	s.window, s.root, s.signature, s.digests = window{in: in, mem: s.mem}, &Element{}, nil, nil
	if err := s.begin(); err != nil {
		return err
	}
	for {
		text, err := s.spaces()
		if err != nil {
			return err
		}
		s.text(text)
		end, err := s.starts(0, "</")
		if err != nil {
			return err
		}
		if end {
			return s.end()
		}
		if err := s.child(); err != nil {
			return err
		}
	}
}

// begin reads up to the start tag of the root.
func (s *stream) begin() error {
	if mark, err := s.starts(0, "\uFEFF"); err != nil {
		return err
	} else if mark {
		s.take(len("\uFEFF"))
	}
	if declared, err := s.starts(0, "<?xml "); err != nil {
		return err
	} else if declared {
		end, err := s.tagEnd(0)
		if err != nil {
			return err
		}
		r := reader{src: s.take(end)}
		if err := r.declaration(); err != nil {
			return err
		}
	}
	if _, err := s.spaces(); err != nil {
		return err
	}
	end, err := s.tagEnd(0)
	if err != nil {
		return err
	}
	r := reader{src: s.take(end), joined: true}
	if err := checkCharacters(r.src); err != nil {
		return err
	}
	name, closed, err := r.startTag(s.root)
	if err != nil {
		return err
	}
	id, identified := s.root.Attr("ID")
	if closed || !identified {
		return ErrUnsigned
	}
	s.name, s.id, s.inScope = name, id, r.inScope
	return s.sink.Begin(s.root)
}

// spaces consumes white space and comments.
func (s *stream) spaces() (string, error) {
	raw, err := s.run()
	if err != nil {
		return "", err
	}
	if err := checkCharacters(raw); err != nil {
		return "", err
	}
	r := reader{src: raw}
	text, err := r.text()
	if err == nil && (!blank(text) || r.pos != len(raw)) {
		return "", r.malformed("text outside the children of the root")
	}
	return text, err
}

// child reads one child of the root.
func (s *stream) child() error {
	end, err := s.elementEnd()
	if err != nil {
		return err
	}
	if end > MaxBytes {
		return faultf(ErrTooLarge, "an element of more than %d bytes", MaxBytes)
	}
	r := reader{src: s.take(end), joined: true, ids: []string{s.id}, inScope: s.inScope}
	if err := checkCharacters(r.src); err != nil {
		return err
	}
	e, err := r.element(s.root.scope, 2)
	if err != nil {
		return err
	}
	if r.pos != len(r.src) {
		return r.malformed("more than one element")
	}
	if e.Is(signatureName) {
		return s.sign(e)
	}
	s.start(assumed)
	s.out.element(e)
	s.flush()
	return s.sink.Child(e)
}

// sign takes a signature.
func (s *stream) sign(e *Element) (err error) {
	if s.signature != nil {
		return faultf(ErrShape, "more than one signature on one element")
	}
	if s.signature, err = readSignature(e, s.id); err != nil {
		return err
	}
	if err := s.signature.method.verify(s.keys, s.signature.signedInfo, s.signature.value); err != nil {
		return err
	}
	s.start(s.signature)
	if s.digests.digest == s.signature.digest && strings.Join(s.digests.prefixes, " ") == strings.Join(s.signature.prefixes, " ") {
		return nil
	}
	if s.known != nil {
		return faultf(ErrSignature, "the document changed between two passes")
	}
	s.known = s.signature
	return errAgain
}

// start writes the start tag of the root, once it is known, or assumed, what for.
func (s *stream) start(wanted *signature) {
	if s.digests != nil {
		return
	}
	if s.known != nil {
		wanted = s.known
	}
	s.digests = wanted
	s.hash = wanted.digest.New()
	s.out = canonicaliser{out: s.out.out[:0], prefixes: wanted.prefixes}
	s.out.startTag(s.root)
	s.text(s.before)
}

// text writes text of the root, or keeps it until the start tag is written.
func (s *stream) text(text string) {
	if s.digests == nil {
		s.before = text
		return
	}
	s.out.out = appendEscaped(s.out.out, text, &textEscapes)
}

func (s *stream) flush() {
	s.hash.Write(s.out.out)
	s.out.out = s.out.out[:0]
}

// end reads the end tag of the root and what follows, and compares the digest.
func (s *stream) end() error {
	if s.signature == nil {
		return ErrUnsigned
	}
	end, err := s.tagEnd(0)
	if err != nil {
		return err
	}
	if tag := s.take(end); strings.TrimRight(tag[len("</"):len(tag)-1], " \t\r\n") != s.name {
		return faultf(ErrMalformed, "end tag has another name than the start tag")
	}
	if _, err := s.spaces(); err != nil {
		return err
	}
	if len(s.buf) > 0 {
		return faultf(ErrMalformed, "content after the root element")
	}
	s.out.endTag(s.root)
	s.flush()
	if subtle.ConstantTimeCompare(s.hash.Sum(nil), s.signature.sum) != 1 {
		return faultf(ErrSignature, "the digest is another")
	}
	return nil
}
