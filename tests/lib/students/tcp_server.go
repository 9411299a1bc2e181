// SPDX-License-Identifier: GPL-3.0-or-later
// Right: Go, a goroutine for each client, by lines; the rest at the end of the stream. strings.ToUpper() knows no capitals that are
// more letters than one, and replaces bytes that are not UTF-8.
package main

import (
	"bufio"
	"log"
	"net"
	"os"
	"strings"
)

func serve(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for {
		line, err := reader.ReadString('\n')
		_, failed := connection.Write([]byte(strings.ToUpper(line)))
		if failed != nil || err != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		if connection, err := listener.Accept(); err == nil {
			go serve(connection)
		}
	}
}
