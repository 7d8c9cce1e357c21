package sqlite

import (
	"database/sql"
	"time"
)

// micros is how a time is stored: microseconds since 1970, NULL for the zero time.
func micros(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: true}
}

// microsUp rounds up: a mark must not end before its credential.
func microsUp(t time.Time) int64 {
	n := t.UnixMicro()
	if t.Nanosecond()%1000 != 0 {
		n++
	}
	return n
}

func timeOf(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}

// timeAt is timeOf for a column that always holds a time.
func timeAt(n int64) time.Time { return time.UnixMicro(n).UTC() }

// micros is the store's clock as times are stored.
func (s *Store) micros() int64 { return s.now().UnixMicro() }
