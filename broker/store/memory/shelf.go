package memory

import (
	"encoding/binary"
	"time"

	"apostille/broker/store"
)

// A shelf keeps the pending things of one kind, packed one behind the other in chunks: an object of its own for each would cost a
// third more than its bytes, and strangers decide how many there are.
//
// An entry is its tag, its end in microseconds, the length of its value and the value. Entries are in the order in which they came, so
// that the oldest are at the front; one that was taken leaves a hole until its chunk is behind the front or the shelf is packed anew.
type shelf struct {
	places map[uint64]place // by the first bytes of the tag
	chunks [][]byte         // chunks[0] is number `first`
	first  uint32
	front  int // offset in chunks[0] from which entries may be there
	live   int // bytes of the entries that are there
	held   int // bytes of all chunks
}

// place is where an entry begins.
type place struct{ chunk, offset uint32 }

// tag is the first half of a hash: nobody finds another handle with the same 128 bits.
type tag [16]byte

func tagOf(h store.Hash) tag { return tag(h[:]) }

func (t tag) key() uint64 { return binary.BigEndian.Uint64(t[:]) }

const (
	chunkSize   = 256 << 10
	entryHeader = len(tag{}) + 8 + 4
	packAfter   = 4 << 20 // bytes that holes may take, whatever else is there
)

func newShelf() *shelf { return &shelf{places: map[uint64]place{}} }

// entry is one that stands on a shelf; value is the shelf's.
type entry struct {
	tag   tag
	until time.Time
	value []byte
}

func (e entry) size() int { return entryHeader + len(e.value) }

func (s *shelf) at(p place) (e entry) {
	b := s.chunks[p.chunk-s.first][p.offset:]
	n := copy(e.tag[:], b)
	e.until = time.UnixMicro(int64(binary.BigEndian.Uint64(b[n:]))).UTC()
	e.value = b[entryHeader : entryHeader+int(binary.BigEndian.Uint32(b[n+8:]))]
	return e
}

// get finds the entry of a tag. Of two tags that begin alike, which chance will hardly bring about, the second counts as taken.
func (s *shelf) get(t tag) (e entry, found, taken bool) {
	p, ok := s.places[t.key()]
	if !ok {
		return entry{}, false, false
	}
	e = s.at(p)
	return e, e.tag == t, true
}

// add puts an entry behind all others. Its tag must not be there.
func (s *shelf) add(e entry) {
	last := len(s.chunks) - 1
	if last < 0 || len(s.chunks[last])+e.size() > cap(s.chunks[last]) {
		size := max(chunkSize, e.size()) // what an upstream vouches for may need a chunk of its own
		s.chunks = append(s.chunks, make([]byte, 0, size))
		s.held += size
		last++
	}
	b := s.chunks[last]
	s.places[e.tag.key()] = place{s.first + uint32(last), uint32(len(b))}
	b = append(b, e.tag[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.until.UnixMicro()))
	b = binary.BigEndian.AppendUint32(b, uint32(len(e.value)))
	s.chunks[last] = append(b, e.value...)
	s.live += e.size()
}

// remove takes an entry away. Its value is no longer the shelf's to keep.
func (s *shelf) remove(e entry) {
	delete(s.places, e.tag.key())
	s.live -= e.size()
	clear(e.value)
}

// oldest returns the entry at the front, behind whatever is gone.
func (s *shelf) oldest() (entry, bool) {
	for len(s.chunks) > 0 {
		p := place{s.first, uint32(s.front)}
		if s.front >= len(s.chunks[0]) {
			s.held -= cap(s.chunks[0])
			s.chunks[0] = nil // the array behind the slice would keep it
			s.chunks, s.first, s.front = s.chunks[1:], s.first+1, 0
			continue
		}
		e := s.at(p)
		if is, ok := s.places[e.tag.key()]; ok && is == p {
			return e, true
		}
		s.front += e.size()
	}
	return entry{}, false
}

// tidy drops what is over at the front, and packs the shelf anew when holes take more room than entries.
func (s *shelf) tidy(now time.Time) {
	for e, ok := s.oldest(); ok && !e.until.After(now); e, ok = s.oldest() {
		s.remove(e)
	}
	if s.held <= 2*s.live+packAfter {
		return
	}
	old := *s
	*s = *newShelf()
	for e, ok := old.oldest(); ok; e, ok = old.oldest() {
		if e.until.After(now) {
			s.add(e)
		}
		old.remove(e)
	}
}
