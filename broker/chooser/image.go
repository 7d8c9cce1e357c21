package chooser

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	stdimage "image"
	_ "image/jpeg" // for DecodeConfig
	_ "image/png"  // for DecodeConfig
	"mime"
	"net/http"
)

// maxSide of a logo in pixels: a small file can be a huge picture.
const maxSide = 2048

// Why an image is not shown.
var (
	errLogoSize  = fmt.Errorf("the logo is larger than %d KB", maxLogo>>10)
	errLogoKind  = errors.New("the logo is none of image/png, image/jpeg, image/webp, or is not what its type says") // SVG can hold scripts
	errLogoSides = fmt.Errorf("the logo has no size, or more than %d pixels a side", maxSide)
)

// image is a checked logo.
type image struct {
	kind, etag string
	body       []byte
}

// newImage checks a file: its type is allowed, its first bytes agree, it is small in bytes and pixels. Nothing behind the header
// is decoded; the browser does that with nosniff.
func newImage(body []byte, contentType string) (image, error) {
	if len(body) > maxLogo {
		return image{}, errLogoSize
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != http.DetectContentType(body) {
		return image{}, errLogoKind
	}
	var width, height int
	switch kind {
	case "image/png", "image/jpeg":
		c, _, err := stdimage.DecodeConfig(bytes.NewReader(body))
		if err != nil {
			return image{}, errLogoSides
		}
		width, height = c.Width, c.Height
	case "image/webp":
		width, height = webpSize(body)
	default:
		return image{}, errLogoKind
	}
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return image{}, errLogoSides
	}
	sum := sha256.Sum256(body)
	return image{kind: kind, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`, body: body}, nil
}

// webpSize reads the size from the first chunk (RFC 9649 §2.5 to §2.7); 0 = unreadable.
func webpSize(b []byte) (width, height int) {
	if len(b) < 30 {
		return 0, 0
	}
	switch string(b[12:16]) {
	case "VP8 ": // RFC 6386 §9.1: 14 bits each after the start code
		if !bytes.Equal(b[23:26], []byte{0x9d, 0x01, 0x2a}) {
			return 0, 0
		}
		return int(binary.LittleEndian.Uint16(b[26:])) & 0x3fff, int(binary.LittleEndian.Uint16(b[28:])) & 0x3fff
	case "VP8L": // 14 bits each, less one, after the signature byte
		if b[20] != 0x2f {
			return 0, 0
		}
		bits := binary.LittleEndian.Uint32(b[21:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1
	case "VP8X": // 24 bits each, less one
		return 1 + (int(b[24]) | int(b[25])<<8 | int(b[26])<<16), 1 + (int(b[27]) | int(b[28])<<8 | int(b[29])<<16)
	}
	return 0, 0
}
