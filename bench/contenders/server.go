// server.go: Go's net package, a goroutine for each connection.
//
//	server echo | udp | tls CERT KEY | source BYTES PIECE | sendfile PATH | sink        prints "port N"
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	check(err)
	return value
}

func echo(conn net.Conn) {
	defer conn.Close()
	buffer := make([]byte, 32*1024)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if _, err = conn.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func sink(conn net.Conn) {
	defer conn.Close()
	buffer := make([]byte, 256*1024)
	for {
		if _, err := conn.Read(buffer); err != nil {
			return
		}
	}
}

func source(conn net.Conn) {
	defer conn.Close()
	piece := make([]byte, number(os.Args[3]))
	for left := number(os.Args[2]); left > 0; left -= int64(len(piece)) {
		if _, err := conn.Write(piece); err != nil {
			return
		}
	}
}

func sendfile(conn net.Conn) {
	defer conn.Close()
	file, err := os.Open(os.Args[2])
	check(err)
	defer file.Close()
	io.Copy(conn, file)
}

func datagrams() {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	fmt.Println("port", conn.LocalAddr().(*net.UDPAddr).Port)
	buffer := make([]byte, 65536)
	for {
		n, address, err := conn.ReadFromUDPAddrPort(buffer)
		check(err)
		conn.WriteToUDPAddrPort(buffer[:n], address)
	}
}

func main() {
	handlers := map[string]func(net.Conn){"echo": echo, "tls": echo, "sink": sink, "source": source, "sendfile": sendfile}
	mode := os.Args[1]
	if mode == "udp" {
		datagrams()
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	check(err)
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	if mode == "tls" {
		pair, err := tls.LoadX509KeyPair(os.Args[2], os.Args[3])
		check(err)
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	for {
		conn, err := listener.Accept()
		check(err)
		go handlers[mode](conn)
	}
}
