package xmlsec

// Chunks of an arena, in values. The first is small, since most documents are; the last bounds what is allocated and not used.
const (
	firstChunk = 16
	lastChunk  = 128
)

// arena hands out values from chunks: a tree costs few allocations, however many nodes it has.
type arena[T any] struct {
	free  []T
	chunk int
}

// take returns n zero values.
func (a *arena[T]) take(n int) []T {
	if n > len(a.free) {
		a.chunk = min(max(2*a.chunk, firstChunk), lastChunk)
		a.free = make([]T, max(a.chunk, n))
	}
	taken := a.free[:n:n]
	a.free = a.free[n:]
	return taken
}

func (a *arena[T]) one() *T { return &a.take(1)[0] }
