# Builds build/Release/addon.node with node-gyp. The files are listed in native/sources.gypi, which CMake reads
# too. Headers: Node's own, and node-addon-api's.
{
  "includes": ["native/sources.gypi"],
  "targets": [
    {
      "target_name": "addon",
      "include_dirs": ["native"],
      # The last one: a worker that is terminated while the addon loads takes no exceptions, which would otherwise
      # abort the process.
      "defines": [
        "NAPI_VERSION=8",
        "NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED",
        "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "sources": ["<@(addon_sources)", "<@(core_sources_common)"],
      # -O3, the default, makes it half as big again, and no faster: the time goes by in the kernel.
      "configurations": { "Release": { "cflags!": ["-O3"], "cflags": ["-O2"] } },
      "cflags": ["-Wall", "-Wextra", "-Wshadow", "-fvisibility=hidden", "-pthread"],
      "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fvisibility-inlines-hidden"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
        "CLANG_CXX_LIBRARY": "libc++",
        "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
        "GCC_ENABLE_CPP_RTTI": "NO",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "WARNING_CFLAGS": ["-Wall", "-Wextra", "-Wshadow"]
      },
      "msvs_settings": {
        "VCCLCompilerTool": {
          "AdditionalOptions": ["/std:c++17", "/utf-8"],
          "ExceptionHandling": 0,
          "WarningLevel": 4
        }
      },
      "variables": { "napi_include": "<!(node -p \"require('path').resolve(require('node-addon-api').include_dir)\")" },
      "conditions": [
        ["OS=='win'", { "include_dirs": ["<(napi_include)"] }],
        # As a system folder: our warnings are not for other people's headers.
        ["OS!='win'", { "sources": ["<@(core_sources_posix)"], "cflags_cc": ["-isystem<(napi_include)"] }],
        ["OS=='mac'", { "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-isystem<(napi_include)"] } }],
        ["OS=='linux'", { "sources": ["<@(core_sources_linux)"], "ldflags": ["-pthread"] }],
        ["OS=='mac' or OS=='freebsd' or OS=='openbsd'", { "sources": ["<@(core_sources_bsd)"] }],
        ["OS=='mac'", { "sources": ["<@(core_sources_mac)"] }],
        ["OS=='freebsd'", { "sources": ["<@(core_sources_freebsd)"] }],
        ["OS=='openbsd'", { "sources": ["<@(core_sources_openbsd)"] }],
        ["OS=='win'", {
          "sources": ["<@(core_sources_windows)"],
          "defines": ["WIN32_LEAN_AND_MEAN", "NOMINMAX", "_WIN32_WINNT=0x0A00"],
          "libraries": ["-lws2_32", "-liphlpapi"]
        }]
      ]
    }
  ]
}
