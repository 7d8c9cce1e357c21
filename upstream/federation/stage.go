package federation

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"apostille/trust/xmlsec"
)

// stage is an xmlsec.Sink: it fills an index that nobody sees. Of it nothing counts until the signature has held and finish was called.
type stage struct {
	reader
	now    time.Time
	most   time.Duration // validUntil may be so far away
	header Header

	file    *os.File
	out     *bufio.Writer
	at      int64
	heads   []head
	seen    map[string]bool // entityIDs, those left out too
	shared  pool
	leftOut map[leftOut]int
}

var _ xmlsec.Sink = (*stage)(nil)

// Faults of an aggregate. Its last good one stays.
var (
	errRoot     = errors.New("expected an EntitiesDescriptor, the metadata of a federation")
	errNested   = errors.New("an EntitiesDescriptor inside another one is not read: ask for the flat aggregate")
	errTwice    = errors.New("one entityID stands there twice")
	errNoUntil  = errors.New("no validUntil: whoever stops the download could keep old metadata in use for ever")
	errExpired  = errors.New("it has expired")
	errFarUntil = errors.New("validUntil is further away than max_validity allows")
	errEmpty    = errors.New("it has no identity provider that can be used")
	errOlder    = errors.New("it was published before the one in use")
)

// Begin implements xmlsec.Sink.
func (s *stage) Begin(root *xmlsec.Element) error {
	if !root.Is(md("EntitiesDescriptor")) {
		return errRoot
	}
	s.at, s.heads, s.seen, s.shared, s.leftOut = 0, nil, map[string]bool{}, pool{}, map[leftOut]int{}
	if err := s.file.Truncate(0); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s.out = bufio.NewWriterSize(s.file, 64<<10)
	return s.times(root)
}

// times reads how long the aggregate is valid. Nothing of it is believed before the signature has held; it is refused at once all the same.
func (s *stage) times(root *xmlsec.Element) (err error) {
	if s.header.Until, err = instant(root, "validUntil"); err != nil {
		return err
	}
	switch {
	case s.header.Until.IsZero():
		return errNoUntil
	case !s.now.Before(s.header.Until):
		return fmt.Errorf("%w on %s", errExpired, s.header.Until.UTC().Format(time.RFC3339))
	case s.header.Until.Sub(s.now) > s.most:
		return errFarUntil
	}
	s.header.CacheFor, err = duration(root, "cacheDuration")
	return err
}

// Child implements xmlsec.Sink.
func (s *stage) Child(e *xmlsec.Element) error {
	switch {
	case e.Is(md("EntityDescriptor")):
		return s.entity(e)
	case e.Is(md("EntitiesDescriptor")):
		return errNested
	case e.Is(md("Extensions")):
		for p := range below(e, xmlsec.Name{Space: spaceRPI, Local: "PublicationInfo"}) {
			var err error
			if s.header.Published, err = instant(p, "creationInstant"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stage) entity(e *xmlsec.Element) error {
	if id, _ := e.Attr("entityID"); s.seen[id] {
		return fmt.Errorf("%w: %.200q", errTwice, id)
	} else {
		s.seen[strings.Clone(id)] = true
	}
	in, why := s.reader.entity(e)
	if why == "" && !in.until.IsZero() && !s.now.Before(in.until) {
		why = outExpired
	}
	if why != "" {
		s.leftOut[why]++
		return nil
	}
	return s.add(in)
}

// maxHead bounds what one member takes in memory, and maxMembers how many do.
const (
	maxHead    = 16 << 10
	maxMembers = 100_000
)

// add writes a member's detail and keeps its head.
func (s *stage) add(in *entity) error {
	b, err := json.Marshal(&in.detail)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	h := head{Member: in.member, Until: in.until, At: s.at, Length: len(b), Sum: slices.Clone(sum[:sumBytes])}
	h.Authority, h.Attributes = s.shared.text(h.Authority), s.shared.values(h.Attributes)
	if size(&h) > maxHead {
		s.leftOut[outSize]++
		return nil
	}
	if s.heads = append(s.heads, h); len(s.heads) > maxMembers {
		return fmt.Errorf("more than %d members", maxMembers)
	}
	return s.write(append(b, '\n'))
}

// size is about what a head takes.
func size(h *head) int {
	n := len(h.EntityID) + len(h.Name) + len(h.Logo)
	for _, list := range [][]string{h.Keywords, h.Scopes} {
		for _, s := range list {
			n += len(s)
		}
	}
	return n
}

func (s *stage) write(b []byte) error {
	s.at += int64(len(b))
	_, err := s.out.Write(b)
	return err
}

// finish completes the file, of an aggregate whose signature has held, and compares it with the last good one, which may be nil.
func (s *stage) finish(last *Index) error {
	switch {
	case len(s.heads) == 0:
		return errEmpty
	case last != nil && !s.header.Published.IsZero() && s.header.Published.Before(last.Published):
		return errOlder
	}
	slices.SortFunc(s.heads, func(a, b head) int { return strings.Compare(a.ID, b.ID) })
	s.header.Format, s.header.Imported, s.header.Members, s.header.Heads = format, s.now, len(s.heads), s.at
	s.header.LeftOut = map[string]int{}
	for why, n := range s.leftOut {
		s.header.LeftOut[string(why)] = n
	}
	if last != nil {
		s.header.Change = compare(last.heads, s.heads)
	} else {
		s.header.Change = Difference{First: len(s.heads)}
	}
	sum := sha256.New()
	for i := range s.heads {
		b, err := json.Marshal(&s.heads[i])
		if err != nil {
			return err
		}
		b = append(b, '\n')
		sum.Write(b)
		if err := s.write(b); err != nil {
			return err
		}
	}
	s.header.Digest = sum.Sum(nil)
	b, err := json.Marshal(&s.header)
	if err != nil {
		return err
	}
	if err := s.write(fmt.Appendf(b, "\n%*d\n", tail-1, s.at)); err != nil {
		return err
	}
	return errors.Join(s.out.Flush(), s.file.Sync())
}
