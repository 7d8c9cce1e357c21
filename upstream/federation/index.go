package federation

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sort"
	"strconv"
	"time"

	"apostille/trust"
)

// Header says what an index is of.
type Header struct {
	Format  int      `json:"format"`
	Source  string   `json:"source"` // URL or file that it came from
	Dev     bool     `json:"dev,omitempty"`
	Keys    []string `json:"keys"` // SHA-256 of each pinned key it was verified with: with one of them
	ETag    string   `json:"etag,omitempty"`
	Changed string   `json:"changed,omitempty"` // Last-Modified

	Imported  time.Time      `json:"imported"`
	Published time.Time      `json:"published,omitzero"` // mdrpi:PublicationInfo
	Until     time.Time      `json:"valid_until"`
	CacheFor  time.Duration  `json:"cache_for,omitempty"`
	Members   int            `json:"members"`
	LeftOut   map[string]int `json:"left_out,omitempty"`
	Change    Difference     `json:"change"`
	Heads     int64          `json:"heads"`  // where they begin
	Digest    []byte         `json:"digest"` // SHA-256 of the heads
}

// format is that of index files. Another is not read; the next refresh writes it anew.
const format = 1

// head is what an index holds of a member in memory, and where the detail lies.
type head struct {
	trust.Member
	Until  time.Time `json:",omitzero"` // zero = as long as the aggregate
	At     int64
	Length int
	Sum    []byte // of the detail: has it changed?
}

// Index are the members of one federation: details in a file, in the order of the aggregate, then heads in the order of IDs, then the header, then
// where that begins. It is immutable; its file is open until nobody has the Index.
type Index struct {
	Header
	file  *os.File
	info  os.FileInfo
	heads []head

	recent recent
}

// tail is how many bytes say where the header begins.
const tail = 21

// openIndex reads an index. What is not whole is an error.
func openIndex(path string) (*Index, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	x := &Index{file: f}
	if err = x.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("the index %s cannot be used: %w", path, err), f.Close())
	}
	return x, nil
}

func (x *Index) read() (err error) {
	if x.info, err = x.file.Stat(); err != nil {
		return err
	}
	size := x.info.Size()
	end := make([]byte, tail)
	if _, err = x.file.ReadAt(end, size-tail); err != nil {
		return err
	}
	at, err := strconv.ParseInt(string(bytes.TrimSpace(end)), 10, 64)
	if err != nil || at < 0 || at > size-tail {
		return errors.New("its end is not that of an index")
	}
	if err = json.NewDecoder(io.NewSectionReader(x.file, at, size-tail-at)).Decode(&x.Header); err != nil {
		return err
	}
	if x.Format != format || x.Heads < 0 || x.Heads > at || x.Members < 0 || int64(x.Members) > size {
		return errors.New("it is of another version")
	}
	return x.readHeads(at)
}

// readHeads takes them into memory.
func (x *Index) readHeads(end int64) error {
	sum := sha256.New()
	in := io.TeeReader(bufio.NewReaderSize(io.NewSectionReader(x.file, x.Heads, end-x.Heads), 64<<10), sum)
	d := json.NewDecoder(in)
	shared := pool{}
	for range x.Members {
		var h head
		if err := d.Decode(&h); err != nil {
			return err
		}
		h.Authority, h.Attributes = shared.text(h.Authority), shared.values(h.Attributes)
		x.heads = append(x.heads, h)
	}
	if _, err := io.Copy(io.Discard, in); err != nil || !bytes.Equal(sum.Sum(nil), x.Digest) {
		return errors.New("its heads are damaged")
	}
	return nil
}

// find returns a member that is valid now.
func (x *Index) find(id string, now time.Time) (*head, bool) {
	i := sort.Search(len(x.heads), func(i int) bool { return x.heads[i].ID >= id })
	if i == len(x.heads) || x.heads[i].ID != id || !x.live(&x.heads[i], now) {
		return nil, false
	}
	return &x.heads[i], true
}

// live says whether metadata may still be relied on (SAML Metadata 2.0 §2.3.1, validUntil).
func (x *Index) live(h *head, now time.Time) bool {
	return now.Before(x.Until) && (h.Until.IsZero() || now.Before(h.Until))
}

func (x *Index) all(now time.Time) iter.Seq[*trust.Member] {
	return func(yield func(*trust.Member) bool) {
		for i := range x.heads {
			if h := &x.heads[i]; x.live(h, now) && !yield(&h.Member) {
				return
			}
		}
	}
}

// detail reads what the file says of a member.
func (x *Index) detail(h *head) (*detail, error) {
	b := make([]byte, h.Length)
	if _, err := x.file.ReadAt(b, h.At); err != nil {
		return nil, err
	}
	var d detail
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:sumBytes], h.Sum) {
		return nil, errors.New("the index is damaged")
	}
	if err := json.Unmarshal(b, &d); err != nil || d.EntityID != h.EntityID {
		return nil, errors.Join(errors.New("the index is damaged"), err)
	}
	return &d, nil
}

// sumBytes of a SHA-256 tell two versions of a member's detail apart, and notice damage; nobody profits from two that agree.
const sumBytes = 8

// pool shares what many members have in common.
type pool map[string]any

func (p pool) text(s string) string {
	if had, ok := p[s].(string); ok {
		return had
	}
	p[s] = s
	return s
}

func (p pool) values(m map[string][]string) map[string][]string {
	if m == nil {
		return nil
	}
	b, err := json.Marshal(m) // keys are sorted
	if err != nil {
		return m
	}
	key := "m" + string(b)
	if had, ok := p[key].(map[string][]string); ok {
		return had
	}
	p[key] = m
	return m
}
