package xmlsec

import "crypto/rsa"

// encryptedData is what an EncryptedData and the keys beside it say.
type encryptedData struct {
	keyBytes int
	cbc      bool
	value    []byte
	keys     []wrappedKey
}

// wrappedKey is an EncryptedKey.
type wrappedKey struct {
	options rsa.OAEPOptions
	value   []byte
}

// readEncrypted reads one EncryptedData, and the EncryptedKeys in its KeyInfo or beside it (SAML Core 2.0 §2.2.4, §2.3.4). A key that
// is of no use to us is passed over: it may be another recipient's.
func readEncrypted(e *Element, cbc bool) (*encryptedData, bool) {
	data := e.only(spaceEnc, "EncryptedData")
	if data == nil {
		return nil, false
	}
	if typ, given := data.Attr("Type"); given && typ != spaceEnc+"Element" {
		return nil, false
	}
	holders := []*Element{e}
	if info := data.only(spaceDSig, "KeyInfo"); info != nil {
		holders = append(holders, info)
	}
	method, value := data.only(spaceEnc, "EncryptionMethod"), cipherValue(data)
	if method == nil || value == nil {
		return nil, false
	}
	out := &encryptedData{value: value}
	name, _ := method.Attr("Algorithm")
	out.keyBytes = contentKeys[name]
	if cbc && out.keyBytes == 0 {
		out.keyBytes = contentKeysCBC[name]
		out.cbc = true
	}
	for _, holder := range holders {
		for c := range holder.Children() {
			if !c.Is(Name{spaceEnc, "EncryptedKey"}) {
				continue
			}
			if key, ok := readWrapped(c); ok {
				out.keys = append(out.keys, key)
			}
		}
	}
	return out, out.keyBytes > 0 && len(out.keys) <= maxEncryptedKeys
}

// readWrapped reads an EncryptedKey whose transport is RSA-OAEP without parameters.
func readWrapped(e *Element) (key wrappedKey, ok bool) {
	method := e.only(spaceEnc, "EncryptionMethod")
	if method == nil {
		return key, false
	}
	mask := ""
	switch name, _ := method.Attr("Algorithm"); name {
	case oaepMGF1P:
	case oaep11:
		mask = method.algorithmOf(spaceEnc11, "MGF")
	default:
		return key, false
	}
	if method.child(spaceEnc, "OAEPparams") != nil {
		return key, false
	}
	key.options = rsa.OAEPOptions{Hash: oaepDigests[method.algorithmOf(spaceDSig, "DigestMethod")], MGFHash: oaepMasks[mask]}
	key.value = cipherValue(e)
	return key, key.value != nil && key.options.Hash != 0 && key.options.MGFHash != 0
}

// cipherValue decodes CipherData/CipherValue; nil if it cannot.
func cipherValue(e *Element) []byte {
	data := e.only(spaceEnc, "CipherData")
	if data == nil {
		return nil
	}
	value := data.only(spaceEnc, "CipherValue")
	if value == nil {
		return nil
	}
	b, err := octets(value, "")
	if err != nil {
		return nil
	}
	return b
}

// child returns the first child of the name; nil if there is none.
func (e *Element) child(space, local string) *Element {
	for c := range e.Children() {
		if c.Is(Name{space, local}) {
			return c
		}
	}
	return nil
}

// only returns the one child of the name; nil if there is none, or are several.
func (e *Element) only(space, local string) *Element {
	c := e.child(space, local)
	if c == nil {
		return nil
	}
	for other := c.next; other != nil; other = other.next {
		if other.Is(c.Name()) {
			return nil
		}
	}
	return c
}

// algorithmOf returns the Algorithm of a child, "" if there is no such child, and what is no algorithm if it is not plain.
func (e *Element) algorithmOf(space, local string) string {
	if e.child(space, local) == nil {
		return ""
	}
	if c := e.only(space, local); c != nil {
		if name, ok := c.Attr("Algorithm"); ok && name != "" {
			return name
		}
	}
	return "none"
}
